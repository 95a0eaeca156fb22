using System.Globalization;
using System.Security.Claims;
using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Audit;
using Tollgate.Identity.OAuth.Logout;
using Tollgate.Identity.Organisations;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.Sessions;

/// <summary>Opens, finds and ends sessions.</summary>
internal sealed class SessionBook(IdentityDb db, Caller caller, SessionEnds ends, TimeProvider time)
{
    /// <summary>The claim that names the session.</summary>
    public const string Claim = "sid";

    /// <summary>One of the ways in which the person has just proven who they are (RFC 8176); said when a session is opened.</summary>
    public const string MethodClaim = "amr";

    /// <summary>When they did, where it was not now: another issuer may know them for a while already. Said when a session is opened.</summary>
    public const string ProvenAtClaim = "proven_at";

    public static readonly IReadOnlyList<string> ByPassword = ["pwd"];

    public static string Write(DateTimeOffset moment) => moment.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);

    public static DateTimeOffset? ReadMoment(string? text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : null;

    /// <param name="provenAt">Null = now.</param>
    public async Task<Session> OpenAsync(Guid account, IReadOnlyList<string> methods, CancellationToken cancel, DateTimeOffset? provenAt = null)
    {
        var now = time.GetUtcNow();
        var session = new Session
        {
            Id = Guid.NewGuid(), Account = account, Opened = provenAt < now ? provenAt.Value : now, LastSeen = now, Methods = string.Join(' ', methods), Address = caller.Address,
            Agent = caller.Agent,
        };
        db.Add(session);
        await db.SaveChangesAsync(cancel);
        return session;
    }

    /// <summary>The session that a principal names, while it lives.</summary>
    public async Task<Session?> FindAsync(ClaimsPrincipal? user, CancellationToken cancel) =>
        Guid.TryParse(user?.FindFirst(Claim)?.Value, out var id)
            ? await db.Sessions.AsNoTracking().SingleOrDefaultAsync(s => s.Id == id && s.EndedAt == null, cancel)
            : null;

    /// <summary>
    /// What the holder of a session is at this moment: null once it has ended, or the account's password or second factor was changed under it.
    /// Notes to the minute that it is in use.
    /// </summary>
    public async Task<Standing?> StandingAsync(ClaimsPrincipal user, CancellationToken cancel)
    {
        if (!Guid.TryParse(user.FindFirst(Claim)?.Value, out var id) || user.FindFirst(SessionCheck.StampClaim)?.Value is not { } stamp) return null;
        var found = await db.Sessions.AsNoTracking().Where(s => s.Id == id && s.EndedAt == null)
            .Join(db.Accounts.Where(a => a.SecurityStamp == stamp), s => s.Account, a => a.Id, (s, a) => new { s.LastSeen, s.Account, a.Email, a.PlatformRole, a.ChosenOrganisation })
            .SingleOrDefaultAsync(cancel);
        if (found is null) return null;
        var memberships = await db.Memberships.AsNoTracking().Where(m => m.Account == found.Account).OrderBy(m => m.Since).ToListAsync(cancel);
        var membership = memberships.Find(m => m.Organisation == found.ChosenOrganisation) ?? memberships.FirstOrDefault();

        var now = time.GetUtcNow();
        if (found.LastSeen is not { } seen || now - seen >= TimeSpan.FromMinutes(1))
            await db.Sessions.Where(s => s.Id == id).ExecuteUpdateAsync(s => s.SetProperty(x => x.LastSeen, (DateTimeOffset?)now), cancel);
        return new Standing(found.Email!, found.PlatformRole, membership?.Organisation, membership?.Role);
    }

    public async Task EndAsync(ClaimsPrincipal? user, CancellationToken cancel)
    {
        if (!Guid.TryParse(user?.FindFirst(Claim)?.Value, out var id)) return;
        await EndAsync(db.Sessions.Where(s => s.Id == id), cancel);
    }

    /// <summary>Ends one session of an account. False: it has none such that lives.</summary>
    public async Task<bool> EndAsync(Guid account, Guid session, CancellationToken cancel) =>
        await EndAsync(db.Sessions.Where(s => s.Account == account && s.Id == session), cancel) > 0;

    /// <summary>Ends all sessions of an account but one. Returns how many there were.</summary>
    public Task<int> EndAllAsync(Guid account, Guid? but, CancellationToken cancel) => EndAsync(db.Sessions.Where(s => s.Account == account && s.Id != but), cancel);

    private async Task<int> EndAsync(IQueryable<Session> sessions, CancellationToken cancel)
    {
        var ids = await sessions.Where(s => s.EndedAt == null).Select(s => s.Id).ToListAsync(cancel);
        return await ends.EndAsync(db, ids, cancel);
    }
}

/// <summary>What an account is and may do, at a moment.</summary>
internal sealed record Standing(string Email, PlatformRole? PlatformRole, OrganisationId? Organisation, OrganisationRole? Role)
{
    /// <summary>Lets a principal say this and nothing older.</summary>
    public void WriteInto(ClaimsIdentity identity)
    {
        Write(identity, TollgateClaims.PlatformRole, PlatformRole is { } platform ? TollgateClaims.Value(platform) : null);
        Write(identity, TollgateClaims.Organisation, Organisation?.ToString());
        Write(identity, TollgateClaims.OrganisationRole, Role is { } role ? TollgateClaims.Value(role) : null);
    }

    /// <summary>Whether a principal says the same.</summary>
    public bool Matches(ClaimsPrincipal user) =>
        user.PlatformRole() == PlatformRole && user.OrganisationId() == Organisation && user.OrganisationRole() == Role;

    private static void Write(ClaimsIdentity identity, string type, string? value)
    {
        foreach (var old in identity.FindAll(type).ToList()) identity.RemoveClaim(old);
        if (value is not null) identity.AddClaim(new Claim(type, value));
    }
}
