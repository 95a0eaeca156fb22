using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tollgate.Contracts.Feeds;
using Tollgate.Identity.Storage;
using Tollgate.Storage.Feeds;

namespace Tollgate.Identity.Keys;

/// <summary>
/// Takes out of the credentials feed what no gateway needs any more: keys that have been dead for a month (they are then unknown instead of revoked),
/// and revocations of tokens that have expired. So the feed holds what is alive, however long the product has been running.
/// </summary>
internal sealed partial class FeedTidying(IDbContextFactory<IdentityDb> databases, TimeProvider time, ILogger<FeedTidying> logger) : BackgroundService
{
    /// <summary>How long a gateway can tell that a key was revoked, or has expired.</summary>
    public static readonly TimeSpan KeysLinger = TimeSpan.FromDays(30);

    /// <summary>Validators forgive some skew of clocks.</summary>
    private static readonly TimeSpan TokensLinger = TimeSpan.FromHours(1);

    private static readonly TimeSpan Every = TimeSpan.FromHours(1);
    private const int AtOnce = 500;

    /// <summary>One round. Returns how many keys left the feed.</summary>
    public async Task<int> TidyAsync(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
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

    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        // Nodes that start together need not all do this at once.
        using var timer = new PeriodicTimer(Every + (TimeSpan.FromMinutes(10) * Random.Shared.NextDouble()), time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                try
                {
                    if (await TidyAsync(stop) is > 0 and var keys) Log.Left(logger, keys);
                }
                catch (Exception failed) when (!stop.IsCancellationRequested)
                {
                    Log.Failed(logger, failed.Message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // stopped
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3301, LogLevel.Information, "{Keys} keys that have been dead for a month left the feed")]
        public static partial void Left(ILogger logger, int keys);

        [LoggerMessage(3302, LogLevel.Warning, "The feed was not tidied this time ({Reason})")]
        public static partial void Failed(ILogger logger, string reason);
    }
}
