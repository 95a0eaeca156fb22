using Microsoft.EntityFrameworkCore;
using Tollgate.Billing.Metering;
using Tollgate.Billing.Rating;
using Tollgate.Billing.Storage;
using Tollgate.Contracts;

namespace Tollgate.Billing.Invoicing;

/// <summary>What is owed for the running periods, from the same arithmetic in every shape: invoice, sum, chart.</summary>
public sealed class InvoiceService(IDbContextFactory<BillingDb> databases, TimeProvider time)
{
    private static readonly UsageFilter Everything = new();

    /// <summary>An organisation's draft invoices, one a currency; none while nothing is subscribed.</summary>
    public async Task<IReadOnlyList<DraftInvoice>> DraftAsync(OrganisationId organisation, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await using var db = await databases.CreateDbContextAsync(cancel);
        var groups = new List<(Currency Currency, DraftGroup Group)>();
        foreach (var subscription in await db.BilledAsync(organisation, Everything, now, cancel))
        {
            var usage = await db.UsageAsync(subscription, long.MaxValue, UsageBucket.Hour, cancel);
            groups.AddRange(Charges.Of(subscription, usage).GroupBy(l => l.Currency).Select(lines => (lines.Key, Group(subscription, [.. lines.Select(l => l.Line)]))));
        }

        return
        [
            .. groups.GroupBy(g => g.Currency, g => g.Group).OrderBy(g => g.Key.Code, StringComparer.Ordinal).Select(g => new DraftInvoice(organisation,
                g.Key.Code, g.Key.MinorUnits, g.Min(x => x.Period.From), g.Max(x => x.Period.To), [.. g], g.Sum(x => x.Subtotal), now)),
        ];
    }

    /// <summary>What the drafts come to, in short.</summary>
    public async Task<IReadOnlyList<RunningCost>> RunningCostAsync(OrganisationId organisation, CancellationToken cancel) =>
    [
        .. (await DraftAsync(organisation, cancel)).Select(draft =>
        {
            var lines = draft.Groups.SelectMany(g => g.Lines).ToLookup(l => l.Kind, l => l.Amount);
            return new RunningCost(draft.Currency, draft.MinorUnits, lines[DraftLineKind.Fee].Sum(), lines[DraftLineKind.Usage].Sum(), draft.Total);
        }),
    ];

    /// <summary>
    /// What usage cost over time, one point a bucket, also where nothing was used. Both ends are widened to whole buckets; usage outside of the
    /// running billing periods has no cost here.
    /// </summary>
    public async Task<IReadOnlyList<CostSeries>> CostSeriesAsync(
        OrganisationId organisation, UsageFilter filter, DateTimeOffset from, DateTimeOffset to, UsageBucket bucket, CancellationToken cancel)
    {
        var (width, first, end) = UsageService.Buckets(from, to, bucket);
        await using var db = await databases.CreateDbContextAsync(cancel);
        var costs = new Dictionary<Currency, Dictionary<long, (decimal Units, decimal Cost)>>();
        foreach (var subscription in await db.BilledAsync(organisation, filter, time.GetUtcNow(), cancel))
        {
            foreach (var currency in subscription.Stretches.Select(s => s.Version.Currency)) costs.TryAdd(currency, []);
            var usage = await db.UsageAsync(subscription, first, bucket, cancel);
            foreach (var (currency, piece, cost) in Charges.Costs(subscription, usage).Where(c => c.Usage.At >= first))
            {
                var bucketAt = piece.At - piece.At % width;
                var sum = costs[currency].GetValueOrDefault(bucketAt);
                costs[currency][bucketAt] = (sum.Units + piece.Units, sum.Cost + cost);
            }
        }

        return [.. costs.OrderBy(c => c.Key.Code, StringComparer.Ordinal).Select(c => new CostSeries(c.Key.Code, c.Key.MinorUnits, [.. Points(c.Value)]))];

        IEnumerable<CostPoint> Points(Dictionary<long, (decimal Units, decimal Cost)> byBucket)
        {
            for (var at = first; at < end; at += width)
            {
                var (units, cost) = byBucket.GetValueOrDefault(at);
                yield return new CostPoint(DateTimeOffset.FromUnixTimeMilliseconds(at), units, cost);
            }
        }
    }

    private static DraftGroup Group(BilledSubscription subscription, IReadOnlyList<DraftLine> lines) => new(subscription.Id, subscription.Application,
        subscription.ProductName, subscription.ProductTitle, lines[^1].Plan, subscription.Period, lines, lines.Sum(l => l.Amount));
}
