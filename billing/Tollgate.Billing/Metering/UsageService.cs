using Microsoft.EntityFrameworkCore;
using Tollgate.Billing.Invoicing;
using Tollgate.Billing.Storage;
using Tollgate.Billing.Subscriptions;
using Tollgate.Contracts;
using Tollgate.Contracts.Usage;

namespace Tollgate.Billing.Metering;

/// <summary>What was used, as soon as it is counted.</summary>
public sealed class UsageService(IDbContextFactory<BillingDb> databases, TimeProvider time)
{
    private const int MostPoints = 20_000;

    /// <summary>An organisation's usage over time, one point a bucket, also where nothing was used. Both ends are widened to whole buckets.</summary>
    public async Task<IReadOnlyList<UsagePoint>> SeriesAsync(
        OrganisationId organisation, UsageFilter filter, DateTimeOffset from, DateTimeOffset to, UsageBucket bucket, CancellationToken cancel)
    {
        var (width, first, end) = Buckets(from, to, bucket);
        await using var db = await databases.CreateDbContextAsync(cancel);
        var subscriptions = await db.Subscriptions.Of(organisation, filter).Select(s => s.Id).ToListAsync(cancel);
        var slices = bucket == UsageBucket.Hour ? db.Slices(subscriptions, first, end) : db.Minutes(subscriptions, first, end);
        slices = filter.Test ? slices.Tests() : slices.Live();
        var sums = await slices.GroupBy(s => s.At - s.At % width).Select(g => new
        {
            At = g.Key,
            Calls = g.Sum(s => s.Calls),
            Units = g.Sum(s => s.Units),
            Errors = g.Sum(s => s.Status >= 400 ? s.Calls : 0),
        }).ToDictionaryAsync(s => s.At, cancel);

        var points = new List<UsagePoint>();
        for (var at = first; at < end; at += width)
        {
            var moment = DateTimeOffset.FromUnixTimeMilliseconds(at);
            points.Add(sums.TryGetValue(at, out var sum) ? new UsagePoint(moment, sum.Calls, sum.Units, sum.Errors) : new UsagePoint(moment, 0, 0, 0));
        }

        return points;
    }

    /// <summary>What each subscription of an organisation used in its running period.</summary>
    public async Task<IReadOnlyList<UsageSum>> TotalsAsync(OrganisationId organisation, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await using var db = await databases.CreateDbContextAsync(cancel);
        var subscriptions = await db.Subscriptions.AsNoTracking().Of(organisation, new UsageFilter()).Where(s => s.State != SubscriptionState.Cancelled)
            .OrderBy(s => s.Product.Title).ThenBy(s => s.CreatedAt).ThenBy(s => s.Id)
            .Select(s => new { s.Id, s.Application, s.Anchor, s.Product.Name, s.Product.Title }).ToListAsync(cancel);
        var totals = new List<UsageSum>();
        foreach (var s in subscriptions)
        {
            var period = BillingPeriod.At(s.Anchor, now);
            var sums = await db.Slices([s.Id], period.UsageFrom.ToUnixTimeMilliseconds(), period.To.ToUnixTimeMilliseconds()).GroupBy(x => x.Meter == Meters.Test).Select(g => new
            {
                IsTest = g.Key,
                Calls = g.Sum(x => x.Calls),
                Units = g.Sum(x => x.Units),
                Errors = g.Sum(x => x.Status >= 400 ? x.Calls : 0),
            }).ToListAsync(cancel);
            var (live, test) = (sums.Find(sum => !sum.IsTest), sums.Find(sum => sum.IsTest));
            totals.Add(new UsageSum(s.Id, s.Application, s.Name, s.Title, period, live?.Calls ?? 0, live?.Units ?? 0, live?.Errors ?? 0, test?.Calls ?? 0, test?.Units ?? 0));
        }

        return totals;
    }

    /// <summary>Calls of all organisations together, for platform admins. Both ends are widened to whole hours.</summary>
    public async Task<long> CallsOfAllAsync(DateTimeOffset from, DateTimeOffset to, CancellationToken cancel)
    {
        var (_, first, end) = Buckets(from, to, UsageBucket.Hour);
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await db.Set<UsageMinute>().Where(u => u.Minute >= first && u.Minute < end).SumAsync(u => u.Calls, cancel);
    }

    /// <summary>Units of one subscription in [from, to), for the gateways: the base on which a lost quota counter is rebuilt.</summary>
    /// <param name="test">Of calls with test keys; else of all others.</param>
    internal async Task<long> UnitsAsync(SubscriptionId subscription, long from, long to, bool test, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var slices = db.Slices([subscription], from, to);
        return await (test ? slices.Tests() : slices.Live()).SumAsync(s => s.Units, cancel);
    }

    /// <summary>Bucket width, first bucket and end, in milliseconds.</summary>
    internal static (long Width, long First, long End) Buckets(DateTimeOffset from, DateTimeOffset to, UsageBucket bucket)
    {
        var width = bucket == UsageBucket.Hour ? UsageMinutes.HourMs : UsageMinutes.MinuteMs;
        var (first, end) = (from.ToUnixTimeMilliseconds(), to.ToUnixTimeMilliseconds());
        first -= first % width;
        end += (width - end % width) % width;
        if (first < 0 || end < first || (end - first) / width > MostPoints)
            throw new ArgumentOutOfRangeException(nameof(to), $"A series has 0 to {MostPoints} points, from 1970 on.");
        return (width, first, end);
    }
}
