namespace Tollgate.Gateway.Policy.Limits;

/// <summary>What became of an attempt to spend.</summary>
internal enum Spend : byte
{
    Granted,
    Refused,

    /// <summary>The ledger is being asked.</summary>
    Pending,

    /// <summary>The ledger has lost the counter, or this node has, and what was used is being counted again.</summary>
    Rebuilding,

    Away,
}
