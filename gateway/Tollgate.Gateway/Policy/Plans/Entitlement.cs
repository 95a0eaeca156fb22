using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Metering;

namespace Tollgate.Gateway.Policy.Plans;

/// <summary>A subscription as the gateway enforces it: compiled from an <see cref="EntitlementItem"/> or the consumers file. Holds its live counters.</summary>
internal sealed class Entitlement
{
    private PlanCounters? _counters;
    private Entitlement? _forTests;

    public required EntitlementItem Item { get; init; }

    public SubscriptionId Subscription => Item.Subscription;
    public string Product => Item.Product;

    /// <summary>Whose usage its counters count.</summary>
    public UsageOwner Owner => new(Subscription, IsForTests);

    /// <summary>What is counted with it are calls with test keys.</summary>
    public bool IsForTests { get; private init; }

    /// <summary>
    /// The same for calls with test keys: equal limits and quotas in counters of their own, so that who tries things out can meet them and takes nothing from
    /// who works. Without the cap on money: such calls cost none.
    /// </summary>
    public Entitlement ForTests => IsForTests ? this : Volatile.Read(ref _forTests) ?? MakeForTests();

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

    private Entitlement MakeForTests()
    {
        var made = new Entitlement { Item = Item with { Quotas = [.. Item.Quotas.Where(quota => quota.Name != Quota.SpendCap)] }, IsForTests = true };
        return Interlocked.CompareExchange(ref _forTests, made, null) ?? made;
    }
}
