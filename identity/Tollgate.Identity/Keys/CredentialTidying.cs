using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Tollgate.Contracts.Feeds;
using Tollgate.Identity.Storage;
using Tollgate.Storage.Feeds;

namespace Tollgate.Identity.Keys;

/// <summary>
/// Takes out of the credentials feed what no gateway needs any more: keys that have been dead for a month (they are then unknown instead of revoked),
/// and revocations of tokens that have expired.
/// </summary>
internal sealed class CredentialTidying(IDbContextFactory<IdentityDb> databases, TimeProvider time, ILogger<CredentialTidying> logger) : FeedTidying(time, logger)
{
    /// <summary>How long a gateway can tell that a key was revoked, or has expired.</summary>
    public static readonly TimeSpan KeysLinger = TimeSpan.FromDays(30);

    /// <summary>Validators forgive some skew of clocks.</summary>
    private static readonly TimeSpan TokensLinger = TimeSpan.FromHours(1);

    private const int AtOnce = 500;

    public override async Task<int> TidyAsync(CancellationToken cancel)
    {
        var now = Time.GetUtcNow();
        await using var db = await databases.CreateDbContextAsync(cancel);
        var left = 0;
        for (var some = AtOnce; some == AtOnce; left += some)
        {
            var before = (DateTimeOffset?)(now - KeysLinger);
            var dead = await db.Keys.Where(k => !k.LeftFeed && (k.RevokedAt < before || k.Expires < before)).OrderBy(k => k.Id).Take(AtOnce).ToListAsync(cancel);
            some = dead.Count;
            if (some == 0) break;
            foreach (var key in dead) key.LeftFeed = true;
            await db.SaveWithChangesAsync([.. dead.Select(k => new RemovedItem("key", k.Id.ToString()))], cancel);
            db.ChangeTracker.Clear();
        }

        // Readers forget these by themselves when they expire, so they need not be told.
        await db.ForgetExpiredAsync(now - TokensLinger, cancel);
        return left;
    }
}
