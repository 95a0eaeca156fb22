using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;

namespace Tollgate.Gateway.Policy.Plans;

/// <summary>A subscription as the gateway enforces it: compiled from an <see cref="EntitlementItem"/> or the consumers file. Holds its live counters.</summary>
internal sealed class Entitlement
{
    public required EntitlementItem Item { get; init; }

    public SubscriptionId Subscription => Item.Subscription;
    public string Product => Item.Product;
}
