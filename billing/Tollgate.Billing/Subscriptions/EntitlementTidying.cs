using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Tollgate.Billing.Storage;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Storage.Feeds;

namespace Tollgate.Billing.Subscriptions;

/// <summary>
/// Takes subscriptions out of the entitlements feed that have been cancelled for a month: their calls are then refused as not subscribed instead of cancelled.
/// </summary>
internal sealed class EntitlementTidying(IDbContextFactory<BillingDb> databases, TimeProvider time, ILogger<EntitlementTidying> logger) : FeedTidying(time, logger)
{
    /// <summary>How long a gateway can tell that a subscription was cancelled.</summary>
    public static readonly TimeSpan Linger = TimeSpan.FromDays(30);

    private const int AtOnce = 500;
    private const string Cancelled = $"\"{nameof(EntitlementState.Cancelled)}\"";
    private static readonly string Kind = new RemovedItem("entitlement", "").Kind;

    public override async Task<int> TidyAsync(CancellationToken cancel)
    {
        var before = (DateTimeOffset?)(Time.GetUtcNow() - Linger);
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
}
