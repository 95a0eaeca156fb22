namespace Tollgate.Gateway.Balancing;

/// <summary>How one of several hosts is chosen. Weights count in all of them.</summary>
internal enum BalancingPolicy : byte
{
    /// <summary>One after the other, strictly.</summary>
    Turns,

    /// <summary>Always the first that is well.</summary>
    First,

    /// <summary>The one with the fewest calls under way, of several the first: Ocelot's <c>LeastConnection</c>.</summary>
    LeastCalls,

    /// <summary>The one with the fewest calls under way, of several the next in turn.</summary>
    LeastRequests,

    /// <summary>The one that had the last call of the same session, by the service's own cookie.</summary>
    Sticky,

    /// <summary>Any.</summary>
    Random,

    /// <summary>The less busy of any two.</summary>
    TwoChoices,

    /// <summary>Always the same for the same header, cookie, address or key, as long as it is not overloaded.</summary>
    Hash,

    /// <summary>The one that a cookie of ours names.</summary>
    Cookie,

    /// <summary>The one that a plug-in chooses.</summary>
    Custom,
}
