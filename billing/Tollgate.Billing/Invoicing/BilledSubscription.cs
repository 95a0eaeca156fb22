using Tollgate.Billing.Rating;
using Tollgate.Contracts;

namespace Tollgate.Billing.Invoicing;

/// <summary>What has to be known of a subscription to say what it owes for one period.</summary>
/// <param name="OwesFee">It ran at some moment of the period.</param>
/// <param name="Stretches">Its plan versions in the order of time, without gaps: the first began before all usage, the last has no end.</param>
internal sealed record BilledSubscription(
    SubscriptionId Id, AppId Application, string ProductName, string ProductTitle, BillingPeriod Period, bool OwesFee, IReadOnlyList<Stretch> Stretches)
{
    /// <summary>The part of a stretch that lies in the period, as usage sees it: [from, to) in milliseconds.</summary>
    public (long From, long To) UsageOf(Stretch stretch) => (
        Math.Max(stretch.From.ToUnixTimeMilliseconds(), Period.UsageFrom.ToUnixTimeMilliseconds()),
        Math.Min(stretch.To.ToUnixTimeMilliseconds(), Period.To.ToUnixTimeMilliseconds()));

    /// <summary>Stretches of the period, each with what of it lies there.</summary>
    public IEnumerable<(Stretch Stretch, DateTimeOffset From, DateTimeOffset To)> InPeriod() =>
        from stretch in Stretches
        let @from = stretch.From > Period.From ? stretch.From : Period.From
        let to = stretch.To < Period.To ? stretch.To : Period.To
        where @from < to
        select (stretch, @from, to);
}

/// <summary>A plan version in force from one moment to another.</summary>
internal sealed record Stretch(DateTimeOffset From, DateTimeOffset To, BilledVersion Version);

/// <summary>A plan version as far as money is concerned.</summary>
internal sealed record BilledVersion(PlanVersionId Id, string Title, Currency Currency, IReadOnlyList<Price> Prices)
{
    /// <summary>The exact lines for units of a meter. Without a price of its own it is free, and still shown.</summary>
    public IEnumerable<RatedLine> Rate(string meter, decimal units)
    {
        var prices = Prices.Where(p => p.ChargedMeter == meter).ToList();
        if (prices.Count > 0) return prices.SelectMany(p => p.Rate(units));
        return units > 0 ? [new RatedLine($"Included {meter}", units, 0m)] : [];
    }
}

/// <summary>Units of one meter under one plan version.</summary>
internal readonly record struct MeteredUnits(PlanVersionId Version, string Meter, long At, long Units);
