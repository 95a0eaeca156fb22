using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.OAuth.Tokens;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Logout;

/// <summary>
/// What the end of a session takes along: the tokens that came of it, here and at the gateways, and a word to the clients that asked for one.
/// </summary>
internal sealed class SessionEnds(LogoutSignal signal, TimeProvider time)
{
    /// <summary>Ends sessions that are alive, and all that hangs on them, in one transaction. Returns how many there were.</summary>
    public async Task<int> EndAsync(IdentityDb db, IReadOnlyList<Guid> sessions, CancellationToken cancel)
    {
        if (sessions.Count == 0) return 0;
        var now = (DateTimeOffset?)time.GetUtcNow();
        var isOwn = db.Database.CurrentTransaction is null;
        await using var transaction = isOwn ? await db.Database.BeginTransactionAsync(cancel) : null;
        var ended = await db.Sessions.Where(s => sessions.Contains(s.Id) && s.EndedAt == null).ExecuteUpdateAsync(s => s.SetProperty(x => x.EndedAt, now), cancel);
        var families = await db.TokenFamilies.AsNoTracking().Where(f => sessions.Contains(f.Session) && f.RevokedAt == null).ToListAsync(cancel);
        var ids = families.Select(f => f.Id).ToArray();
        await db.TokenFamilies.Where(f => ids.Contains(f.Id)).ExecuteUpdateAsync(f => f.SetProperty(x => x.RevokedAt, now), cancel);
        var live = await db.FamilyAccessTokens.AsNoTracking().Where(t => ids.Contains(t.Family) && t.Expires > now).ToListAsync(cancel);
        if (live.Count > 0) await TokenStatus.RevokeAsync(db, [.. live.Select(t => (t.Jti, t.Expires))], cancel);

        var clients = families.Select(f => f.ClientId).Distinct().ToArray();
        var listening = await db.OAuthClients.Where(c => clients.Contains(c.ClientId) && c.BackChannelLogoutUri != null && c.DeletedAt == null)
            .Select(c => c.ClientId).ToListAsync(cancel);
        foreach (var one in families.Where(f => listening.Contains(f.ClientId)).DistinctBy(f => (f.ClientId, f.Session)))
            db.Add(new LogoutNotice { Id = Guid.CreateVersion7(now.Value), ClientId = one.ClientId, Account = one.Account, Session = one.Session, Created = now.Value, Due = now.Value });
        await db.SaveChangesAsync(cancel);
        if (listening.Count > 0) db.OnceCommitted(signal.Set);
        if (transaction is not null) await transaction.CommitAsync(cancel);
        return ended;
    }
}

/// <summary>Wakes the sender of notices once they are committed: in this process at once, in others when they look next.</summary>
internal sealed class LogoutSignal
{
    private readonly SemaphoreSlim _set = new(0, 1);

    public void Set()
    {
        try
        {
            _set.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is set already.
        }
    }

    /// <summary>Until it is set, or so long. True: it was.</summary>
    public Task<bool> WaitAsync(TimeSpan atMost, CancellationToken cancel) => _set.WaitAsync(atMost, cancel);
}
