using Microsoft.EntityFrameworkCore;
using Tollgate.Billing.Metering;
using Tollgate.Billing.Subscriptions;
using Tollgate.Contracts;

namespace Tollgate.FunctionalTests.Billing;

public sealed class RollupTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 10, 12, 0, 0, TimeSpan.Zero);

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task Sums_of_hours_change_nothing_that_anybody_reads(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var subscription = await billing.SubscribeAsync("pro");
        await FillAsync(billing, subscription, hours: 5);
        billing.Clock.Now = Noon.AddHours(4).AddMinutes(30);
        var before = await ReadAllAsync(billing, subscription);

        (await billing.Rollup.RunAsync(default)).ShouldBe(4, "the fifth hour is not over");
        (await billing.Rollup.RunAsync(default)).ShouldBe(0);
        (await ReadAllAsync(billing, subscription)).ShouldBe(before);
        await using var db = billing.Open();
        (await db.StaleHours.CountAsync()).ShouldBe(1);
        var hours = await SumAsync(billing);

        await billing.Rollup.StartOverAsync(default);
        (await db.UsageHours.CountAsync()).ShouldBe(0);
        (await ReadAllAsync(billing, subscription)).ShouldBe(before);
        (await billing.Rollup.RunAsync(default)).ShouldBe(4);
        (await SumAsync(billing)).ShouldBe(hours);
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task Usage_that_comes_late_is_in_every_sum_at_once_and_in_its_own_minute(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var subscription = await billing.SubscribeAsync("pro");
        await billing.UseAsync(subscription, Noon, 5);
        billing.Clock.Advance(TimeSpan.FromHours(9));
        (await billing.Rollup.RunAsync(default)).ShouldBe(1);
        await billing.UseAsync(subscription, Noon.AddMinutes(30), 2);
        await CheckAsync();
        (await billing.Rollup.RunAsync(default)).ShouldBe(1);
        await CheckAsync();

        async Task CheckAsync()
        {
            (await billing.Usage.TotalsAsync(subscription.Organisation, default)).Single().Units.ShouldBe(7);
            var series = await billing.Usage.SeriesAsync(subscription.Organisation, new UsageFilter(), Noon, Noon.AddHours(3), UsageBucket.Hour, default);
            series.Select(p => p.Units).ShouldBe([7, 0, 0]);
        }
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task No_reader_misses_a_call_while_batches_and_rollups_run_at_once(bool postgres)
    {
        await using var first = await BillingHost.StartAsync(postgres);
        await using var second = await first.StartAnotherAsync();
        var subscription = await first.SubscribeAsync("pro");
        first.Clock.Now = Noon.AddDays(2);
        using var done = new CancellationTokenSource();
        var rollups = new[] { first, second }.Select(node => Task.Run(async () =>
        {
            while (!done.IsCancellationRequested) await node.Rollup.RunAsync(default);
        })).ToList();

        var counted = 0L;
        for (var i = 0; i < 40; i++)
        {
            await (i % 2 == 0 ? first : second).UseAsync(subscription, Noon.AddMinutes(i * 7 % 180), 3);
            counted += 3;
            (await first.Usage.TotalsAsync(subscription.Organisation, default)).Single().Units.ShouldBe(counted);
        }

        await done.CancelAsync();
        await Task.WhenAll(rollups);
        await first.Rollup.RunAsync(default);
        (await SumAsync(first)).Units.ShouldBe(counted);
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task A_series_shows_an_organisations_own_usage_by_application_and_product(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var organisation = OrganisationId.New();
        var one = await billing.SubscribeAsync("pro", organisation);
        var two = await billing.SubscribeAsync("free", organisation);
        var stranger = await billing.SubscribeAsync("free");
        await billing.UseAsync(one, Noon, 5);
        await billing.UseAsync(one, Noon.AddMinutes(2), 4, status: 404);
        await billing.UseAsync(two, Noon.AddMinutes(2), 1);
        await billing.UseAsync(stranger, Noon.AddMinutes(1), 100);

        (await SeriesAsync(new UsageFilter())).ShouldBe([(5, 0), (0, 0), (5, 4)]);
        (await SeriesAsync(new UsageFilter(two.Application))).ShouldBe([(0, 0), (0, 0), (1, 0)]);
        (await SeriesAsync(new UsageFilter(Product: "maps"))).ShouldBe([(0, 0), (0, 0), (0, 0)]);
        (await SeriesAsync(new UsageFilter(stranger.Application))).ShouldBe([(0, 0), (0, 0), (0, 0)], "another organisation's application");
        await Should.ThrowAsync<ArgumentOutOfRangeException>(() =>
            billing.Usage.SeriesAsync(organisation, new UsageFilter(), Noon.AddYears(-5), Noon, UsageBucket.Minute, default));

        async Task<IEnumerable<(long Calls, long Errors)>> SeriesAsync(UsageFilter filter) =>
            (await billing.Usage.SeriesAsync(organisation, filter, Noon.AddSeconds(10), Noon.AddMinutes(2).AddSeconds(1), UsageBucket.Minute, default))
            .Select(p => (p.Calls, p.Errors));
    }

    private static async Task FillAsync(BillingHost billing, SubscriptionView subscription, int hours)
    {
        var random = new Random(11);
        await billing.IngestAsync(Batches.Of([.. Enumerable.Range(0, hours * 60).Select(i => Batches.Row(subscription.Id, subscription.Application,
            Noon.AddMinutes(i), random.Next(1, 400), credential: "key-" + i % 3, status: i % 7 == 0 ? 500 : 200, route: "/r" + i % 4))]));
    }

    /// <summary>All that pages and gateways can ask, as one text.</summary>
    private static async Task<string> ReadAllAsync(BillingHost billing, SubscriptionView s)
    {
        var hours = await billing.Usage.SeriesAsync(s.Organisation, new UsageFilter(), Noon, Noon.AddHours(6), UsageBucket.Hour, default);
        var total = await billing.Usage.TotalsAsync(s.Organisation, default);
        var odd = await billing.Usage.UnitsAsync(s.Id, Noon.AddMinutes(17).ToUnixTimeMilliseconds(), Noon.AddMinutes(211).ToUnixTimeMilliseconds(), test: false, default);
        var cost = await billing.Invoices.CostSeriesAsync(s.Organisation, new UsageFilter(), Noon, Noon.AddHours(6), UsageBucket.Hour, default);
        var draft = await billing.Invoices.DraftAsync(s.Organisation, default);
        return string.Join('\n', hours) + string.Join('\n', total) + odd + string.Join('\n', cost.Single().Points) + string.Join('\n', draft.Single().Groups.Single().Lines);
    }

    private static async Task<(long Calls, long Units, long Bytes, long Duration, int Rows)> SumAsync(BillingHost billing)
    {
        await using var db = billing.Open();
        return (await db.UsageHours.SumAsync(h => h.Calls), await db.UsageHours.SumAsync(h => h.Units), await db.UsageHours.SumAsync(h => h.BytesOut),
            await db.UsageHours.SumAsync(h => h.DurationUs), await db.UsageHours.CountAsync());
    }
}
