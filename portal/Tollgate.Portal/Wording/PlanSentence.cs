using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Rating;
using Tollgate.Contracts.Feeds;

namespace Tollgate.Portal.Wording;

/// <summary>The terms of a plan in sentences a buyer reads: what it costs, how much is in it, how fast it may be used.</summary>
internal static class PlanSentence
{
    /// <summary>"€29.00 / month, 20,000 calls included, then €0.001 a call".</summary>
    public static string Price(PlanTerms terms)
    {
        var parts = new List<string>();
        var fee = Fee(terms);
        if (fee > 0) parts.Add($"{MoneyText.Of(fee, terms.Currency)} / month");
        foreach (var price in terms.Prices.OfType<GraduatedPrice>())
            parts.AddRange(Graduated(price, terms.Currency));
        if (parts.Count == 0) return "Free";
        if (fee == 0 && terms.Prices.OfType<GraduatedPrice>().All(p => p.Tiers.All(t => t.UnitPrice == 0))) parts.Insert(0, "Free");
        return string.Join(", ", parts);
    }

    /// <summary>What the period costs before the first call.</summary>
    public static decimal Fee(PlanTerms terms) => terms.Prices.OfType<FlatPrice>().Sum(p => p.Fee);

    /// <summary>Large on a card: "€29.00", "Free", or the price of a call when nothing is owed for the month.</summary>
    public static string Headline(PlanTerms terms)
    {
        var fee = Fee(terms);
        if (fee > 0) return MoneyText.Of(fee, terms.Currency);
        var first = terms.Prices.OfType<GraduatedPrice>().SelectMany(p => p.Tiers).FirstOrDefault();
        return first is { UnitPrice: > 0 } ? MoneyText.Of(first.UnitPrice, terms.Currency) : "Free";
    }

    /// <summary>What the headline is for: "a month", "a call", or nothing.</summary>
    public static string HeadlineUnit(PlanTerms terms)
    {
        if (Fee(terms) > 0) return "a month";
        var price = terms.Prices.OfType<GraduatedPrice>().FirstOrDefault();
        return price?.Tiers.FirstOrDefault() is { UnitPrice: > 0 } ? "a " + One(price.Meter) : "";
    }

    /// <summary>"10 calls a second".</summary>
    public static string Limit(RateLimit limit) => $"{CountText.Of(limit.Units, "call", "calls")} {Every(limit.WindowMs)}";

    /// <summary>"1,000 calls a month, no more", or "…, more is billed, not refused".</summary>
    public static string Quota(PlanQuota quota) =>
        $"{CountText.Of(quota.Units, "call", "calls")} a {Period(quota.Period)}{(quota.Hard ? ", no more" : ", more is billed, not refused")}";

    /// <summary>"8 calls at a time".</summary>
    public static string Concurrency(ConcurrencyLimit limit) => $"{CountText.Of(limit.Calls, "call", "calls")} at a time{(limit.Reach is { Per: LimitPer.Key } ? " with each key" : "")}";

    /// <summary>"Stops when a month's calls cost €10.00".</summary>
    public static string SpendCap(PlanTerms terms) => $"Stops when a month's calls cost {MoneyText.Of(terms.SpendCap ?? 0, terms.Currency)}";

    /// <summary>Limits that a buyer meets: those that are only reported are the seller's business.</summary>
    public static IEnumerable<RateLimit> Limits(PlanTerms terms) => terms.Limits.Where(limit => limit.Reach is not { Shadow: true });

    /// <summary>Quotas that a buyer meets.</summary>
    public static IEnumerable<PlanQuota> Quotas(PlanTerms terms) => terms.Quotas.Where(quota => !quota.Shadow);

    /// <summary>Limits of calls at a time that a buyer meets.</summary>
    public static IEnumerable<ConcurrencyLimit> Concurrency(PlanTerms terms) => (terms.Concurrency ?? []).Where(limit => limit.Reach is not { Shadow: true });

    public static string Period(QuotaPeriod period) => period switch
    {
        QuotaPeriod.Day => "day",
        QuotaPeriod.Week => "week",
        _ => "month",
    };

    /// <summary>All of it, for a preview: price, quotas, limits.</summary>
    public static string Whole(PlanTerms terms)
    {
        var parts = new List<string> { Price(terms) };
        parts.AddRange(Quotas(terms).Select(Quota));
        parts.AddRange(Limits(terms).Select(l => "up to " + Limit(l)));
        parts.AddRange(Concurrency(terms).Select(l => "up to " + Concurrency(l)));
        if (terms.SpendCap is not null) parts.Add(char.ToLowerInvariant(SpendCap(terms)[0]) + SpendCap(terms)[1..]);
        return string.Join("; ", parts) + ".";
    }

    private static IEnumerable<string> Graduated(GraduatedPrice price, string currency)
    {
        var from = 0m;
        foreach (var tier in price.Tiers)
        {
            var each = $"{MoneyText.Of(tier.UnitPrice, currency)} a {One(price.Meter)}";
            yield return (tier, from) switch
            {
                ({ UnitPrice: 0, UpTo: { } upTo }, 0) => $"{CountText.Of(upTo)} {Many(price.Meter)} included",
                ({ UnitPrice: 0, UpTo: null }, 0) => $"all {Many(price.Meter)} included",
                ({ UpTo: null }, 0) => each,
                ({ UpTo: null }, _) => $"then {each}",
                ({ UpTo: { } upTo }, 0) => $"{each} up to {CountText.Of(upTo)}",
                ({ UpTo: { } upTo }, _) => $"then {each} up to {CountText.Of(upTo)}",
            };
            from = tier.UpTo ?? from;
        }
    }

    private static string Every(long windowMs)
    {
        var window = CountText.Window(windowMs);
        return char.IsAsciiDigit(window[0]) ? $"in {window}" : window == "hour" ? "an hour" : $"a {window}";
    }

    private static string One(string meter) => meter == Billing.Rating.Price.DefaultMeter ? "call" : meter.EndsWith('s') ? meter[..^1] : meter;

    private static string Many(string meter) => meter == Billing.Rating.Price.DefaultMeter ? "calls" : meter;
}
