using Tollgate.Contracts.Feeds;

namespace Tollgate.Gateway.Fragments;

/// <summary>Who does what all gateways are ordered through the feed.</summary>
internal interface IFeedOrders
{
    /// <summary>Throws kept answers away. May come twice.</summary>
    void Purge(PurgeItem order);

    /// <summary>These hosts, and no others, drain by order to all gateways.</summary>
    void Drain(IReadOnlySet<string> hosts);
}
