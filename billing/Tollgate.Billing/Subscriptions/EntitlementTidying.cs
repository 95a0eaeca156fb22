using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tollgate.Billing.Storage;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Storage.Feeds;

namespace Tollgate.Billing.Subscriptions;

/// <summary>
/// Takes subscriptions out of the entitlements feed that have been cancelled for a month: their calls are then refused as not subscribed instead of cancelled.
/// So the feed holds what is alive, however long the product has been running.
/// </summary>
internal sealed partial class EntitlementTidying(IDbContextFactory<BillingDb> databases, TimeProvider time, ILogger<EntitlementTidying> logger) : BackgroundService
{
    /// <summary>How long a gateway can tell that a subscription was cancelled.</summary>
    public static readonly TimeSpan Linger = TimeSpan.FromDays(30);

    private const int AtOnce = 500;
    private const string Cancelled = $"\"{nameof(EntitlementState.Cancelled)}\"";
    private static readonly string Kind = new RemovedItem("entitlement", "").Kind;
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);

    /// <summary>One round. Returns how many left the feed.</summary>
    public async Task<int> TidyAsync(CancellationToken cancel)
    {
        var before = (DateTimeOffset?)(time.GetUtcNow() - Linger);
        await using var db = await databases.CreateDbContextAsync(cancel);
        var told = await db.Set<Change>().Where(c => c.Kind == Kind && !c.Removed && c.Line.Contains(Cancelled)).Select(c => c.Key).ToListAsync(cancel);
        var left = 0;
        foreach (var some in told.Select(key => new SubscriptionId(Guid.Parse(key))).Chunk(AtOnce))
        {
            var over = await db.Subscriptions.Where(s => some.Contains(s.Id) && s.State == SubscriptionState.Cancelled && s.StoppedAt < before).Select(s => s.Id).ToListAsync(cancel);
            if (over.Count > 0) await db.SaveWithChangesAsync([.. over.Select(id => new RemovedItem(Kind, id.ToString()))], cancel);
            left += over.Count;
        }
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
                    if (await TidyAsync(stop) is > 0 and var subscriptions) Log.Left(logger, subscriptions);
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
        [LoggerMessage(4211, LogLevel.Information, "{Subscriptions} subscriptions that were cancelled a month ago left the feed")]
        public static partial void Left(ILogger logger, int subscriptions);

        [LoggerMessage(4212, LogLevel.Warning, "The entitlements feed was not tidied this time ({Reason})")]
        public static partial void Failed(ILogger logger, string reason);
    }
}
