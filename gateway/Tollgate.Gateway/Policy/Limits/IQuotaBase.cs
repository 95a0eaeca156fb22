using Tollgate.Gateway.Policy.Metering;

namespace Tollgate.Gateway.Policy.Limits;

/// <summary>What was used before: the base on which a quota's counter is rebuilt when the ledger or this node has lost it.</summary>
internal interface IQuotaBase
{
    /// <summary>What this node has metered for the owner in the half-open period, as far as it holds it.</summary>
    QuotaUse Here(UsageOwner owner, long fromUnixMs, long toUnixMs);

    /// <summary>The same with what has been counted of all nodes; null when that cannot be known now. Never throws.</summary>
    ValueTask<QuotaUse?> EverywhereAsync(UsageOwner owner, long fromUnixMs, long toUnixMs);
}

/// <param name="Here">Units in this node's journal that <paramref name="Total"/> does not contain.</param>
/// <param name="IsWhole">With <paramref name="Shipped"/>, that is all the node ever metered in the period.</param>
/// <param name="Total">Units that the usage store has counted, of all nodes.</param>
/// <param name="Shipped">Units of this node that <paramref name="Total"/> contains; known where <paramref name="IsWhole"/>.</param>
internal readonly record struct QuotaUse(long Here, bool IsWhole, long Total = 0, long Shipped = 0);
