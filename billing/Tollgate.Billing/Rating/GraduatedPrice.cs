using System.Globalization;
using System.Text.Json.Serialization;

namespace Tollgate.Billing.Rating;

/// <summary>
/// Each unit is charged at the rate of the tier it falls in. One tier without an end is a price per unit;
/// a first tier at 0 is an allowance, and what follows its overage.
/// </summary>
public sealed record GraduatedPrice(IReadOnlyList<Tier> Tiers, string Meter = Price.DefaultMeter) : Price
{
    [JsonIgnore] public override string? ChargedMeter => Meter;

    public override IEnumerable<RatedLine> Rate(decimal quantity)
    {
        var from = 0m;
        foreach (var tier in Tiers)
        {
            var inTier = Math.Min(quantity, tier.UpTo ?? quantity) - from;
            if (inTier <= 0) yield break;
            yield return new RatedLine(Describe(from, tier), inTier, tier.UnitPrice);
            from += inTier;
        }
    }

    /// <summary>A price per unit from the first on.</summary>
    public static GraduatedPrice PerUnit(decimal unitPrice, string meter = DefaultMeter) => new([new Tier(null, unitPrice)], meter);

    private string Describe(decimal from, Tier tier)
    {
        if (tier.UpTo is { } upTo)
            return tier.UnitPrice == 0 && from == 0 ? $"Included {Meter}, up to {Number(upTo)}" : $"{Title(Meter)} {Number(from + 1)} to {Number(upTo)}";
        return from == 0 ? Title(Meter) : $"{Title(Meter)} beyond {Number(from)}";
    }

    private static string Number(decimal units) => units.ToString("#,0.############", CultureInfo.InvariantCulture);

    private static string Title(string meter) => char.ToUpperInvariant(meter[0]) + meter[1..];
}

/// <summary>A stretch of units with one price. Tiers follow one another; the last has no end.</summary>
/// <param name="UpTo">The last unit of the tier, counted from the period's first; null = no end.</param>
public sealed record Tier(decimal? UpTo, decimal UnitPrice);
