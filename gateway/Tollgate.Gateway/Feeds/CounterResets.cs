using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Plans;

namespace Tollgate.Gateway.Feeds;

/// <summary>Stands before the table of entitlements in its feed, takes out the orders to begin counters anew, and carries them out.</summary>
internal sealed partial class CounterResets(EntitlementTable entitlements, IFeedTarget next, TimeProvider time, ILogger<CounterResets> logger) : IFeedTarget
{
    private const int Remembered = 256;
    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(1);

    private readonly Queue<Guid> _done = new();

    /// <summary>Whose counters they are; null until the limits stand.</summary>
    public PlanLimits? Limits { get; set; }

    public IFeedChanges Begin(bool snapshot) => new Changes(this, next.Begin(snapshot), snapshot);

    private void Hear(CounterResetItem order)
    {
        if (Limits is not { } limits || IsOver(order) || _done.Contains(order.Order)) return;
        _done.Enqueue(order.Order);
        if (_done.Count > Remembered) _done.Dequeue();
        _ = CarryOutAsync(limits, order);
    }

    private async Task CarryOutAsync(PlanLimits limits, CounterResetItem order)
    {
        try
        {
            foreach (var entitlement in entitlements.Of(new HashSet<SubscriptionId> { order.Subscription }))
            {
                IReadOnlyList<string>? names;
                while ((names = await limits.ResetAsync(entitlement, order.Limit, order.Order)) is null)
                {
                    if (IsOver(order))
                    {
                        Log.NotReset(logger, order.Subscription);
                        return;
                    }
                    await Task.Delay(TryAgain, time);
                }
                Log.Reset(logger, string.Join(", ", names), order.Subscription);
            }
        }
        catch (ObjectDisposedException)
        {
            // the gateway is stopping
        }
    }

    private bool IsOver(CounterResetItem order) => order.ExpiresUnixMs < time.GetUtcNow().ToUnixTimeMilliseconds();

    private sealed class Changes(CounterResets resets, IFeedChanges next, bool snapshot) : IFeedChanges
    {
        private readonly List<CounterResetItem> _ordered = [];

        public void Add(FeedItem item)
        {
            if (item is not CounterResetItem order) next.Add(item);
            else if (!snapshot) _ordered.Add(order);    // a snapshot tells of orders that were carried out
        }

        public void Commit()
        {
            next.Commit();
            foreach (var order in _ordered) resets.Hear(order);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2393, LogLevel.Information, "Counters {Names} of subscription {Subscription} are begun anew, as the control plane ordered")]
        public static partial void Reset(ILogger logger, string names, SubscriptionId subscription);

        [LoggerMessage(2394, LogLevel.Warning, "Counters of subscription {Subscription} were to be begun anew, but the ledger was away for too long")]
        public static partial void NotReset(ILogger logger, SubscriptionId subscription);
    }
}
