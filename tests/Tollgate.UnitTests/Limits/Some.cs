using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Metering;
using Tollgate.Gateway.Policy.Plans;

namespace Tollgate.UnitTests.Limits;

/// <summary>Entitlements to test with.</summary>
internal static class Some
{
    public static readonly NoUsage NothingUsed = new();

    public static RateLimit PerMinute(long units) => new("minute", units, 60_000);

    public static Quota PerMonth(long units, bool hard = true) => new("month", units, QuotaPeriod.Month, hard, 0);

    public static Entitlement Entitlement(params object[] limits) => EntitlementOf(SubscriptionId.New(), limits);

    public static Entitlement EntitlementOf(SubscriptionId subscription, params object[] limits) => new()
    {
        Item = new EntitlementItem(subscription, AppId.New(), "weather", "gold", PlanVersionId.New(), EntitlementState.Active, LedgerLoss.FairShare,
            [.. limits.OfType<RateLimit>()], [.. limits.OfType<Quota>()]),
    };

    internal sealed class NoUsage : IQuotaBase
    {
        public QuotaUse Here(UsageOwner owner, long fromUnixMs, long toUnixMs) => default;

        public ValueTask<QuotaUse?> EverywhereAsync(UsageOwner owner, long fromUnixMs, long toUnixMs) => new(default(QuotaUse));
    }

    internal sealed class Usage(Func<long?> total) : IQuotaBase
    {
        public QuotaUse Here(UsageOwner owner, long fromUnixMs, long toUnixMs) => default;

        public ValueTask<QuotaUse?> EverywhereAsync(UsageOwner owner, long fromUnixMs, long toUnixMs) =>
            new(total() is { } units ? new QuotaUse(0, false, units) : null);
    }
}
