using Tollgate.Contracts;

namespace Tollgate.Gateway.Policy.Limits;

/// <summary>What was used before: the base on which a quota's counter is rebuilt when the ledger has lost it.</summary>
internal interface IQuotaBase
{
    /// <summary>Units counted for the subscription in the half-open period; null when that cannot be known now. Never throws.</summary>
    ValueTask<long?> UnitsSoFarAsync(SubscriptionId subscription, long fromUnixMs, long toUnixMs);
}
