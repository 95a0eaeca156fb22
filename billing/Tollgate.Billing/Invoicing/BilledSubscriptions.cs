using Microsoft.EntityFrameworkCore;
using Tollgate.Billing.Metering;
using Tollgate.Billing.Rating;
using Tollgate.Billing.Storage;
using Tollgate.Billing.Subscriptions;
using Tollgate.Contracts;

namespace Tollgate.Billing.Invoicing;

/// <summary>Reads the facts of invoices from the books.</summary>
internal static class BilledSubscriptions
{
    private static readonly TimeSpan LongestPeriod = TimeSpan.FromDays(31);

    /// <summary>An organisation's subscriptions that owe, or may owe, something for their running periods.</summary>
    public static async Task<IReadOnlyList<BilledSubscription>> BilledAsync(
        this BillingDb db, OrganisationId organisation, UsageFilter filter, DateTimeOffset now, CancellationToken cancel)
    {
        var earliest = now - LongestPeriod;
        var rows = await db.Subscriptions.AsNoTracking().Of(organisation, filter)
            .Where(s => s.Terms.Count != 0 && (s.State != SubscriptionState.Cancelled || s.StoppedAt >= earliest))
            .OrderBy(s => s.Product.Title).ThenBy(s => s.CreatedAt).ThenBy(s => s.Id)
            .Select(s => new
            {
                s.Id, s.Application, s.State, s.Anchor, s.StoppedAt,
                ProductName = s.Product.Name,
                ProductTitle = s.Product.Title,
                Terms = s.Terms.OrderBy(t => t.From).Select(t => new { t.From, Version = t.PlanVersion, Plan = t.PlanVersion.Plan.Title }).ToList(),
            }).ToListAsync(cancel);

        var billed = new List<BilledSubscription>();
        foreach (var row in rows)
        {
            var period = BillingPeriod.At(row.Anchor, now);
            var ranInPeriod = row.State == SubscriptionState.Active || row.StoppedAt >= period.From;
            if (!ranInPeriod && row.State == SubscriptionState.Cancelled) continue;
            var stretches = row.Terms.Select((term, i) => new Stretch(
                i == 0 ? DateTimeOffset.UnixEpoch : term.From,
                i + 1 < row.Terms.Count ? row.Terms[i + 1].From : DateTimeOffset.MaxValue,
                new BilledVersion(term.Version.Id, $"{term.Plan} v{term.Version.Number}", Currency.Of(term.Version.Currency), term.Version.Prices)));
            billed.Add(new BilledSubscription(row.Id, row.Application, row.ProductName, row.ProductTitle, period, ranInPeriod, [.. stretches]));
        }

        return billed;
    }

    /// <summary>What a subscription used in its period and owes for, which calls with test keys are not, by version and meter; from <paramref name="detailFrom"/> on in minutes or hours of its own, before that in one sum.</summary>
    public static async Task<List<MeteredUnits>> UsageAsync(
        this BillingDb db, BilledSubscription subscription, long detailFrom, UsageBucket bucket, CancellationToken cancel)
    {
        var usage = new List<MeteredUnits>();
        var width = bucket == UsageBucket.Hour ? UsageMinutes.HourMs : UsageMinutes.MinuteMs;
        List<SubscriptionId> id = [subscription.Id];
        foreach (var stretch in subscription.Stretches)
        {
            var (from, to) = subscription.UsageOf(stretch);
            if (from >= to) continue;
            var cut = Math.Clamp(detailFrom, from, to);
            if (from < cut)
            {
                var before = await db.Slices(id, from, cut).Live().GroupBy(s => s.Meter)
                    .Select(g => new { Meter = g.Key, Units = g.Sum(s => s.Units) }).ToListAsync(cancel);
                usage.AddRange(before.Select(b => new MeteredUnits(stretch.Version.Id, b.Meter, from, b.Units)));
            }

            if (cut < to)
            {
                var detail = bucket == UsageBucket.Hour ? db.Slices(id, cut, to) : db.Minutes(id, cut, to);
                var rows = await detail.Live().GroupBy(s => new { s.Meter, At = s.At - s.At % width })
                    .Select(g => new { g.Key.Meter, g.Key.At, Units = g.Sum(s => s.Units) }).ToListAsync(cancel);
                usage.AddRange(rows.Select(r => new MeteredUnits(stretch.Version.Id, r.Meter, r.At, r.Units)));
            }
        }

        return usage;
    }
}
