using System.Text.Json.Serialization;

namespace Tollgate.Contracts.Feeds;

/// <summary>
/// What the gateway needs to know of one application's subscription to one product: limits, quotas, state. Never a price.
/// An application holds at most one entitlement for a product.
/// </summary>
/// <param name="Product">The product's name, as routes write it in <c>"Tollgate": { "Product": … }</c>.</param>
/// <param name="Plan">Plan name and version for headers and explanations, such as <c>pro v3</c>.</param>
/// <param name="Organisation">Whose application it is: limits of an organisation are counted under it.</param>
public sealed record EntitlementItem(
    SubscriptionId Subscription,
    AppId Application,
    string Product,
    string Plan,
    PlanVersionId PlanVersion,
    EntitlementState State,
    LedgerLoss OnLedgerLoss,
    IReadOnlyList<RateLimit> Limits,
    IReadOnlyList<Quota> Quotas,
    IReadOnlyList<ConcurrencyLimit>? Concurrency = null,
    OrganisationId? Organisation = null) : FeedItem
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

    /// <summary>Waiting for approval: refused as <c>subscription-pending</c>.</summary>
    Pending,

    /// <summary>Paused: refused as <c>subscription-paused</c>.</summary>
    Paused,

    /// <summary>Over: refused as <c>subscription-cancelled</c>.</summary>
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
/// <param name="Burst">How many of them may come at once: no window as long as the limit's pace needs for so many admits more. Null = all of them.</param>
/// <param name="Reach">For whom and for what it is; null = for all of the subscription's calls.</param>
public sealed record RateLimit(string Name, long Units, long WindowMs, long? Burst = null, LimitReach? Reach = null);

/// <summary>At most <paramref name="Calls"/> calls under way at a time. Each gateway admits its part of them, at least one.</summary>
public sealed record ConcurrencyLimit(string Name, long Calls, LimitReach? Reach = null);

/// <summary>For whom and for what a limit is.</summary>
/// <param name="Per">Whose calls are counted together.</param>
/// <param name="Operations">Names of the routes that it is for; null = all.</param>
/// <param name="Overrides">The limit that it takes the place of, for these operations; null = none.</param>
/// <param name="Shadow">Evaluated and reported, not enforced.</param>
public sealed record LimitReach(LimitPer Per = LimitPer.Subscription, IReadOnlyList<string>? Operations = null, string? Overrides = null, bool Shadow = false)
{
    public bool Equals(LimitReach? other) =>
        other is not null && Per == other.Per && Overrides == other.Overrides && Shadow == other.Shadow
        && (Operations ?? []).SequenceEqual(other.Operations ?? [], StringComparer.Ordinal);

    public override int GetHashCode() => HashCode.Combine(Per, Overrides, Shadow, Operations?.Count);
}

/// <summary>Whose calls a limit counts together.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LimitPer>))]
public enum LimitPer
{
    /// <summary>Those of one application's subscription.</summary>
    [JsonStringEnumMemberName("subscription")] Subscription,

    /// <summary>Those of all applications of the organisation whose plans have a limit of this name and window.</summary>
    [JsonStringEnumMemberName("organisation")] Organisation,

    /// <summary>Those of each key or client by itself.</summary>
    [JsonStringEnumMemberName("key")] Key,
}

/// <summary>At most <paramref name="Units"/> units per calendar period, counted from the subscription's anchor.</summary>
/// <param name="Hard">True: refused with 429 beyond it. False: admitted and billed as overage.</param>
/// <param name="AnchorUnixMs">The moment the first period began, milliseconds since 1970 UTC.</param>
/// <param name="TimeZone">IANA zone in which days, weeks and months are cut, such as <c>Europe/Berlin</c>.</param>
/// <param name="Shadow">Evaluated and reported, not enforced.</param>
public sealed record Quota(string Name, long Units, QuotaPeriod Period, bool Hard, long AnchorUnixMs, string TimeZone = "UTC", bool Shadow = false)
{
    /// <summary>The name of the quota that a cap on money became: the calls that it buys. Calls that cost nothing do not count against it.</summary>
    public const string SpendCap = "spend-cap";
}

/// <summary>Length of a quota's period.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<QuotaPeriod>))]
public enum QuotaPeriod
{
    [JsonStringEnumMemberName("day")] Day,
    [JsonStringEnumMemberName("week")] Week,
    [JsonStringEnumMemberName("month")] Month,
}
