using Tollgate.Contracts;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Metering;

namespace Tollgate.Gateway.Consumers;

/// <summary>What a gateway without a control plane knows of earlier usage: its own journal, which holds all of it. Without a data folder, nothing was used.</summary>
internal sealed class JournalQuotaBase(Journal? journal) : IQuotaBase
{
    public QuotaUse Here(SubscriptionId subscription, long fromUnixMs, long toUnixMs) =>
        new(journal?.UnitsOf(subscription, fromUnixMs, toUnixMs) ?? 0, IsWhole: journal is not null);

    public ValueTask<QuotaUse?> EverywhereAsync(SubscriptionId subscription, long fromUnixMs, long toUnixMs) => new(Here(subscription, fromUnixMs, toUnixMs));
}
