namespace Tollgate.Gateway.Balancing;

/// <summary>How one of several hosts is chosen.</summary>
internal enum Balancing : byte
{
    /// <summary>One after the other.</summary>
    Turns,

    /// <summary>Always the first that is written.</summary>
    First,

    /// <summary>The one with the fewest calls under way.</summary>
    LeastCalls,

    /// <summary>The one that had the last call of the same session.</summary>
    Sticky,
}
