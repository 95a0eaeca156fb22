using System.Security.Claims;
using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.Audit;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.Sessions;

/// <summary>Opens, finds and ends sessions.</summary>
internal sealed class SessionBook(IdentityDb db, Caller caller, TimeProvider time)
{
    /// <summary>The claim that names the session.</summary>
    public const string Claim = "sid";

    public async Task<Session> OpenAsync(Guid account, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var session = new Session
        {
            Id = Guid.NewGuid(), Account = account, Opened = now, Address = caller.Address,
            Agent = caller.Agent is { Length: > 256 } agent ? agent[..256] : caller.Agent,
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

    public async Task EndAsync(ClaimsPrincipal? user, CancellationToken cancel)
    {
        if (!Guid.TryParse(user?.FindFirst(Claim)?.Value, out var id)) return;
        var now = (DateTimeOffset?)time.GetUtcNow();
        await db.Sessions.Where(s => s.Id == id && s.EndedAt == null).ExecuteUpdateAsync(s => s.SetProperty(x => x.EndedAt, now), cancel);
    }
}
