using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Policy.Limits;

namespace Tollgate.Gateway.Policy.Plans;

/// <summary>A subscription as the gateway enforces it: compiled from an <see cref="EntitlementItem"/> or the consumers file. Holds its live counters.</summary>
internal sealed class Entitlement
{
    private PlanCounters? _counters;

    public required EntitlementItem Item { get; init; }

    public SubscriptionId Subscription => Item.Subscription;
    public string Product => Item.Product;

    /// <summary>Why calls are refused whatever their number; <see cref="Refusal.None"/> when they are not.</summary>
    public Refusal Refusal => Item.State switch
    {
        EntitlementState.Active => Refusal.None,
        EntitlementState.Unpaid => Refusal.PaymentRequired,
        EntitlementState.Suspended => Refusal.OrganisationSuspended,
        EntitlementState.Pending => Refusal.SubscriptionPending,
        EntitlementState.Paused => Refusal.SubscriptionPaused,
        EntitlementState.Cancelled => Refusal.SubscriptionCancelled,
        _ => Refusal.NotSubscribed,
    };

    /// <summary>Where its limits stand on this node, as answers tell it; null when nothing is counted at present.</summary>
    public string? Standing => Counters?.Describe();

    /// <summary>Null until the first call: a million subscriptions that never call cost no counters.</summary>
    internal PlanCounters? Counters => Volatile.Read(ref _counters);

    internal void UseCounters(PlanCounters counters) => Volatile.Write(ref _counters, counters);

    internal void ForgetCounters(PlanCounters counters) => Interlocked.CompareExchange(ref _counters, null, counters);
}
