using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.OAuth.Tokens;
using Tollgate.Identity.Storage;
using Tollgate.Storage.Feeds;

namespace Tollgate.Identity.Accounts;

/// <summary>Counts what was guessed wrongly, passwords and codes alike, in one statement each: guesses made at the same time all count.</summary>
internal sealed class Lockout(IdentityDb db, PersonRevocations revocations, TimeProvider time)
{
    public const int MaxFailures = 5;
    public static readonly TimeSpan Length = TimeSpan.FromMinutes(5);

    public bool IsLocked(Account account) => account.LockoutEnd > time.GetUtcNow();

    /// <summary>One more; the fifth locks. While it is locked nothing is counted, or a guesser would keep the owner out for ever.</summary>
    public async Task FailAsync(Account account, CancellationToken cancel)
    {
        if (IsLocked(account)) return;
        var until = (DateTimeOffset?)(time.GetUtcNow() + Length);
        await db.Accounts.Where(a => a.Id == account.Id).ExecuteUpdateAsync(a => a
            .SetProperty(x => x.LockoutEnd, x => x.AccessFailedCount + 1 >= MaxFailures ? until : x.LockoutEnd)
            .SetProperty(x => x.AccessFailedCount, x => x.AccessFailedCount + 1 >= MaxFailures ? 0 : x.AccessFailedCount + 1), cancel);

        // Somebody may be at it who should not: what was given out before is asked for anew, once the lock is off.
        var now = (DateTimeOffset?)time.GetUtcNow();
        if (await db.Accounts.AnyAsync(a => a.Id == account.Id && a.LockoutEnd > now, cancel)) await db.SaveWithChangesAsync([revocations.UntilNow(account.Id)], cancel);
    }

    public async Task ClearAsync(Account account, CancellationToken cancel)
    {
        if (account.AccessFailedCount > 0)
            await db.Accounts.Where(a => a.Id == account.Id).ExecuteUpdateAsync(a => a.SetProperty(x => x.AccessFailedCount, 0), cancel);
    }
}
