using Tollgate.Contracts;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Metering;

namespace Tollgate.Gateway.Consumers;

/// <summary>What a gateway without a control plane knows of earlier usage: its own journal. Without a data folder, nothing was used.</summary>
internal sealed class JournalQuotaBase(Journal? journal) : IQuotaBase
{
    public ValueTask<long?> UnitsSoFarAsync(SubscriptionId subscription, long fromUnixMs, long toUnixMs) =>
        new(journal?.UnitsOf(subscription, fromUnixMs, toUnixMs) ?? 0);
}
