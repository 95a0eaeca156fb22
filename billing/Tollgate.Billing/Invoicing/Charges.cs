using Tollgate.Billing.Rating;

namespace Tollgate.Billing.Invoicing;

/// <summary>
/// From facts to lines: pure arithmetic. Each plan version charges its own part: fees by the share of the period in which it was in force,
/// usage in its own tiers, over all its stretches together, so that going to and fro between plans wins no second allowance.
/// </summary>
internal static class Charges
{
    private const int ShareDecimals = 6;

    /// <summary>The lines of a period, in the order of the versions: fees first, then usage by meter and tier.</summary>
    public static IReadOnlyList<(Currency Currency, DraftLine Line)> Of(BilledSubscription subscription, IReadOnlyCollection<MeteredUnits> usage)
    {
        var lines = new List<(Currency, DraftLine)>();
        foreach (var (version, from, to, share) in Shares(subscription))
        {
            if (subscription.OwesFee)
            {
                foreach (var fee in version.Prices.Where(p => p.ChargedMeter is null).SelectMany(p => p.Rate(share)))
                    lines.Add((version.Currency, Line(DraftLineKind.Fee, version, fee, from, to)));
            }

            foreach (var meter in usage.Where(u => u.Version == version.Id).GroupBy(u => u.Meter).OrderBy(g => g.Key, StringComparer.Ordinal))
            {
                foreach (var rated in version.Rate(meter.Key, meter.Sum(u => (decimal)u.Units)))
                    lines.Add((version.Currency, Line(DraftLineKind.Usage, version, rated, from, to)));
            }
        }

        return lines;
    }

    /// <summary>
    /// What each piece of usage adds to the invoice: the difference that it makes to the lines of its meter, in the order of time.
    /// Differences of rounded lines sum up to the rounded lines, so nothing is lost between a chart and an invoice.
    /// </summary>
    public static IEnumerable<(Currency Currency, MeteredUnits Usage, decimal Cost)> Costs(BilledSubscription subscription, IEnumerable<MeteredUnits> usage)
    {
        var versions = subscription.Stretches.Select(s => s.Version).DistinctBy(v => v.Id).ToDictionary(v => v.Id);
        foreach (var meter in usage.GroupBy(u => (u.Version, u.Meter)))
        {
            var version = versions[meter.Key.Version];
            var (units, owed) = (0m, 0m);
            foreach (var piece in meter.OrderBy(u => u.At))
            {
                units += piece.Units;
                var owedNow = version.Rate(meter.Key.Meter, units).Sum(line => version.Currency.Round(line.Amount));
                yield return (version.Currency, piece, owedNow - owed);
                owed = owedNow;
            }
        }
    }

    /// <summary>Versions of the period, each with its part of it. The parts sum up to 1.</summary>
    private static IEnumerable<(BilledVersion Version, DateTimeOffset From, DateTimeOffset To, decimal Share)> Shares(BilledSubscription subscription)
    {
        var versions = subscription.InPeriod().GroupBy(s => s.Stretch.Version.Id).ToList();
        var (whole, left) = ((decimal)(subscription.Period.To - subscription.Period.From).Ticks, 1m);
        for (var i = 0; i < versions.Count; i++)
        {
            var parts = versions[i].ToList();
            var share = i == versions.Count - 1 ? left : Math.Round(parts.Sum(p => (decimal)(p.To - p.From).Ticks) / whole, ShareDecimals, MidpointRounding.AwayFromZero);
            left -= share;
            yield return (parts[0].Stretch.Version, parts[0].From, parts[^1].To, share);
        }
    }

    private static DraftLine Line(DraftLineKind kind, BilledVersion version, RatedLine rated, DateTimeOffset from, DateTimeOffset to) =>
        new(kind, version.Title, rated.Description, rated.Quantity, rated.UnitPrice, version.Currency.Round(rated.Amount), from, to);
}
