using Tollgate.Contracts;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Metering;

namespace Tollgate.Gateway.Consumers;

/// <summary>What a gateway without a control plane knows of earlier usage: its own journal, which holds all of it. Without a data folder, nothing was used.</summary>
internal sealed class JournalQuotaBase(Journal? journal) : IQuotaBase
{
    public QuotaUse Here(UsageOwner owner, long fromUnixMs, long toUnixMs) =>
        new(journal?.UnitsOf(owner, fromUnixMs, toUnixMs) ?? 0, IsWhole: journal is not null);

    public ValueTask<QuotaUse?> EverywhereAsync(UsageOwner owner, long fromUnixMs, long toUnixMs) => new(Here(owner, fromUnixMs, toUnixMs));
}
