using System.Text.Json.Serialization;

namespace Tollgate.Contracts.Feeds;

/// <summary>
/// What the gateway needs to know of one application's subscription to one product: limits, quotas, state. Never a price.
/// An application holds at most one entitlement for a product.
/// </summary>
/// <param name="Product">The product's name, as routes write it in <c>"Tollgate": { "Product": … }</c>.</param>
/// <param name="Plan">Plan name and version for headers and explanations, such as <c>pro v3</c>.</param>
public sealed record EntitlementItem(
    SubscriptionId Subscription,
    AppId Application,
    string Product,
    string Plan,
    PlanVersionId PlanVersion,
    EntitlementState State,
    LedgerLoss OnLedgerLoss,
    IReadOnlyList<RateLimit> Limits,
    IReadOnlyList<Quota> Quotas) : FeedItem
{
    public override string Kind => "entitlement";
    public override string Key => Subscription.ToString();
}

/// <summary>Where a subscription stands, as far as calls are concerned.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<EntitlementState>))]
public enum EntitlementState
{
    /// <summary>Calls are admitted.</summary>
    Active,

    /// <summary>Waiting for approval: refused as <c>not-subscribed</c>.</summary>
    Pending,

    /// <summary>Paused: refused as <c>not-subscribed</c>.</summary>
    Paused,

    /// <summary>Over: refused as <c>not-subscribed</c>.</summary>
    Cancelled,

    /// <summary>An invoice is overdue: refused as <c>payment-required</c>.</summary>
    Unpaid,

    /// <summary>The organisation is suspended: refused as <c>organisation-suspended</c>.</summary>
    Suspended,
}

/// <summary>What happens to a plan's calls while the shared ledger cannot be reached and the leases in hand are spent.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LedgerLoss>))]
public enum LedgerLoss
{
    /// <summary>Each node admits the limit divided by the last known number of nodes.</summary>
    [JsonStringEnumMemberName("fair-share")] FairShare,

    /// <summary>Calls are refused with 503 until the ledger is back.</summary>
    [JsonStringEnumMemberName("closed")] Closed,

    /// <summary>Calls are admitted without counting against the limit.</summary>
    [JsonStringEnumMemberName("open")] Open,
}

/// <summary>At most <paramref name="Units"/> units in any window of <paramref name="WindowMs"/> milliseconds, strictly sliding.</summary>
/// <param name="Name">Shown in <c>RateLimit-Policy</c>; unique among the limits and quotas of a plan; letters, digits, <c>-</c> and <c>_</c>.</param>
/// <param name="Units">1 to 10^12.</param>
/// <param name="WindowMs">100 ms to 31 days.</param>
public sealed record RateLimit(string Name, long Units, long WindowMs);

/// <summary>At most <paramref name="Units"/> units per calendar period, counted from the subscription's anchor.</summary>
/// <param name="Hard">True: refused with 429 beyond it. False: admitted and billed as overage.</param>
/// <param name="AnchorUnixMs">The moment the first period began, milliseconds since 1970 UTC.</param>
/// <param name="TimeZone">IANA zone in which days, weeks and months are cut, such as <c>Europe/Berlin</c>.</param>
public sealed record Quota(string Name, long Units, QuotaPeriod Period, bool Hard, long AnchorUnixMs, string TimeZone = "UTC");

/// <summary>Length of a quota's period.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<QuotaPeriod>))]
public enum QuotaPeriod
{
    [JsonStringEnumMemberName("day")] Day,
    [JsonStringEnumMemberName("week")] Week,
    [JsonStringEnumMemberName("month")] Month,
}
