using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Audit;
using Tollgate.Identity.Organisations;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.ManagementTokens;

/// <summary>Tokens for programs that use the management API: a person's own, and an organisation's.</summary>
public sealed class ManagementTokenService
{
    /// <summary>How many live tokens a person, or an organisation of its own, holds at most.</summary>
    public const int MaxLive = 50;

    public static readonly TimeSpan DefaultLife = TimeSpan.FromDays(90);
    public static readonly TimeSpan MaxLife = TimeSpan.FromDays(366);

    private readonly IDbContextFactory<IdentityDb> _databases;
    private readonly AuditLog _audit;
    private readonly TimeProvider _time;

    internal ManagementTokenService(IDbContextFactory<IdentityDb> databases, AuditLog audit, TimeProvider time) =>
        (_databases, _audit, _time) = (databases, audit, time);

    /// <summary>A person's own tokens, in whichever organisation, the newest first.</summary>
    public Task<IReadOnlyList<ManagementTokenView>> ListOwnAsync(Guid account, CancellationToken cancel) => ListAsync(t => t.Where(x => x.Account == account), cancel);

    /// <summary>All tokens that reach into an organisation: its own and its members'.</summary>
    public Task<IReadOnlyList<ManagementTokenView>> ListAsync(OrganisationId organisation, CancellationToken cancel) =>
        ListAsync(t => t.Where(x => x.Organisation == organisation), cancel);

    /// <summary>A token that acts for a person in an organisation of theirs, never with more rights than the person has at that moment.</summary>
    public async Task<IssueTokenOutcome> IssuePersonalAsync(Guid account, OrganisationId organisation, NewManagementToken wish, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (!await db.LockOrganisationAsync(organisation, cancel) || await StandingAsync(db, account, organisation, cancel) is not { } standing)
            return new IssueTokenOutcome.NotAllowed();
        var now = _time.GetUtcNow();
        if (Judge(wish with { Role = null }, ManagementScopes.Within(standing.Role, standing.Platform), now) is var (scopes, errors) && errors.Count > 0)
            return new IssueTokenOutcome.Invalid(errors);
        if (await db.ManagementTokens.CountAsync(t => t.Account == account && t.RevokedAt == null && t.Expires > now, cancel) >= MaxLive)
            return new IssueTokenOutcome.TooMany(MaxLive);
        var issued = await IssueAsync(db, wish, organisation, account, account, null, scopes, now, cancel);
        await transaction.CommitAsync(cancel);
        return issued;
    }

    /// <summary>The organisation's own token: owners and admins make it, with no role above their own and never the owner's.</summary>
    public async Task<IssueTokenOutcome> IssueServiceAsync(Guid maker, OrganisationId organisation, NewManagementToken wish, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (!await db.LockOrganisationAsync(organisation, cancel)
            || await StandingAsync(db, maker, organisation, cancel) is not { Role: OrganisationRole.Owner or OrganisationRole.Admin } standing)
            return new IssueTokenOutcome.NotAllowed();
        var now = _time.GetUtcNow();
        var role = wish.Role ?? OrganisationRole.Viewer;
        // Beyond its organisation such a token publishes routes at most: nobody would take a platform right from it when its maker leaves.
        string[] beyond = standing.Platform is PlatformRole.Admin ? [ManagementScopes.Routes] : [];
        var (scopes, errors) = Judge(wish, [.. ManagementScopes.Within(role, null), .. beyond], now);
        if (role == OrganisationRole.Owner || !Enum.IsDefined(role)) errors["role"] = "A service token is admin, developer, billing or viewer.";
        if (errors.Count > 0) return new IssueTokenOutcome.Invalid(errors);
        if (wish.Scopes is not { Count: > 0 }) scopes = [.. scopes.Except(beyond)];   // never by default
        if (await db.ManagementTokens.CountAsync(t => t.Organisation == organisation && t.Account == null && t.RevokedAt == null && t.Expires > now, cancel) >= MaxLive)
            return new IssueTokenOutcome.TooMany(MaxLive);
        var issued = await IssueAsync(db, wish, organisation, null, maker, role, scopes, now, cancel);
        await transaction.CommitAsync(cancel);
        return issued;
    }

    /// <summary>Revokes a token of one's own. True also when it had been revoked before; false: there is no such token.</summary>
    public Task<bool> RevokeOwnAsync(Guid account, Guid token, CancellationToken cancel) => RevokeAsync(t => t.Where(x => x.Id == token && x.Account == account), cancel);

    /// <summary>Revokes any token that reaches into an organisation.</summary>
    public Task<bool> RevokeAsync(OrganisationId organisation, Guid token, CancellationToken cancel) =>
        RevokeAsync(t => t.Where(x => x.Id == token && x.Organisation == organisation), cancel);

    /// <summary>Revokes any token, for platform admins.</summary>
    public Task<bool> RevokeAnyAsync(Guid token, CancellationToken cancel) => RevokeAsync(t => t.Where(x => x.Id == token), cancel);

    private async Task<IssueTokenOutcome> IssueAsync(
        IdentityDb db, NewManagementToken wish, OrganisationId organisation, Guid? account, Guid maker, OrganisationRole? role, string[] scopes, DateTimeOffset now, CancellationToken cancel)
    {
        var secret = ManagementTokenFormat.Generate();
        var token = new ManagementToken
        {
            Id = Guid.CreateVersion7(now), Prefix = ManagementTokenFormat.Prefix(secret), Sha256 = ApiKeyFormat.Sha256Hex(secret), Name = wish.Name.Trim(),
            Organisation = organisation, Account = account, Role = role, Scopes = scopes, CreatedBy = maker, Created = now, Expires = wish.Expires ?? now + DefaultLife,
        };
        db.Add(token);
        await _audit.AddAsync(db, account is null ? "service-token.made" : "token.made", token.Id.ToString(), organisation);
        await db.SaveChangesAsync(cancel);
        var owner = account is null ? null : await db.Accounts.Where(a => a.Id == account).Select(a => a.Email).SingleAsync(cancel);
        return new IssueTokenOutcome.Issued(new IssuedManagementToken(secret, View(token, owner, now)));
    }

    private static (string[] Scopes, Dictionary<string, string> Errors) Judge(NewManagementToken wish, IReadOnlyList<string> within, DateTimeOffset now)
    {
        var errors = new Dictionary<string, string>();
        var name = wish.Name?.Trim() ?? "";
        if (name.Length == 0) errors["name"] = "Give the token a name, such as the place where it will be used.";
        else if (name.Length > NewManagementToken.MaxNameLength) errors["name"] = $"A name has at most {NewManagementToken.MaxNameLength} characters.";
        else if (!OneLine.Is(name)) errors["name"] = "A name is written on one line.";

        if (wish.Expires <= now) errors["expires"] = "Choose a moment in the future.";
        else if (wish.Expires > now + MaxLife) errors["expires"] = "A token lives for a year at most.";

        var scopes = wish.Scopes is { Count: > 0 } told ? told.Distinct().ToArray() : [.. within];
        if (scopes.FirstOrDefault(s => !ManagementScopes.All.Contains(s)) is { } unknown)
            errors["scopes"] = $"There is no scope {(unknown is { Length: <= 40 } ? $"“{unknown}”" : "of that name")}. There are: {string.Join(", ", ManagementScopes.All)}.";
        else if (scopes.Except(within).ToArray() is { Length: > 0 } beyond)
            errors["scopes"] = $"The role does not reach as far as {string.Join(", ", beyond)}.";
        else if (scopes.Length == 0) errors["scopes"] = "Choose one scope at least.";
        return (scopes, errors);
    }

    private async Task<bool> RevokeAsync(Func<IQueryable<ManagementToken>, IQueryable<ManagementToken>> which, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        if (await which(db.ManagementTokens).SingleOrDefaultAsync(cancel) is not { } token) return false;
        if (token.RevokedAt is not null) return true;
        token.RevokedAt = _time.GetUtcNow();
        await _audit.AddAsync(db, token.Account is null ? "service-token.revoked" : "token.personal-revoked", token.Id.ToString(), token.Organisation);
        await db.SaveChangesAsync(cancel);
        return true;
    }

    private async Task<IReadOnlyList<ManagementTokenView>> ListAsync(Func<IQueryable<ManagementToken>, IQueryable<ManagementToken>> which, CancellationToken cancel)
    {
        await using var db = await _databases.CreateDbContextAsync(cancel);
        var rows = await which(db.ManagementTokens.AsNoTracking()).OrderByDescending(t => t.Created).ThenByDescending(t => t.Id).Take(500)
            .Select(t => new { Token = t, Owner = db.Accounts.Where(a => a.Id == t.Account).Select(a => a.Email).SingleOrDefault() }).ToListAsync(cancel);
        var now = _time.GetUtcNow();
        return [.. rows.Select(r => View(r.Token, r.Owner, now))];
    }

    private static async Task<Standing?> StandingAsync(IdentityDb db, Guid account, OrganisationId organisation, CancellationToken cancel) =>
        await db.Memberships.Where(m => m.Account == account && m.Organisation == organisation)
            .Join(db.Accounts, m => m.Account, a => a.Id, (m, a) => new Standing(m.Role, a.PlatformRole)).SingleOrDefaultAsync(cancel);

    private static ManagementTokenView View(ManagementToken t, string? owner, DateTimeOffset now) => new(
        t.Id, t.Name, t.Account is null ? ManagementTokenKind.Service : ManagementTokenKind.Personal, t.Prefix, owner, t.Role, t.Scopes, t.Created, t.Expires, t.LastUsed,
        t.RevokedAt is not null ? ManagementTokenState.Revoked : t.Expires <= now ? ManagementTokenState.Expired : ManagementTokenState.Live);

    private sealed record Standing(OrganisationRole Role, PlatformRole? Platform);
}
