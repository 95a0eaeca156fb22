using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Invoicing;
using Tollgate.Billing.Metering;
using Tollgate.Billing.Rating;
using Tollgate.Billing.Subscriptions;
using Tollgate.Contracts;

namespace Tollgate.FunctionalTests.Billing;

public sealed class DraftTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 10, 12, 0, 0, TimeSpan.Zero);

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task A_draft_is_what_a_person_with_a_pencil_would_write(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var subscription = await billing.SubscribeAsync("pro");
        await billing.UseAsync(subscription, Start.AddHours(1), 20_000);
        await billing.UseAsync(subscription, Start.AddDays(3), 95_007);
        await billing.UseAsync(subscription, Start.AddDays(4), 400, units: 0, status: 502);
        billing.Clock.Now = Start.AddDays(5);

        var draft = (await billing.Invoices.DraftAsync(subscription.Organisation, default)).ShouldHaveSingleItem();

        // 29.00 + 20,000 × 0.01 + 80,000 × 0.005 + 15,007 × 0.002 = 29.00 + 200.00 + 400.00 + 30.014
        draft.Groups.ShouldHaveSingleItem().Lines.Select(l => (l.Kind, l.Description, l.Quantity, l.UnitPrice, l.Amount)).ShouldBe(
        [
            (DraftLineKind.Fee, "Base fee", 1m, 29m, 29m),
            (DraftLineKind.Usage, "Requests 1 to 20,000", 20_000m, 0.01m, 200m),
            (DraftLineKind.Usage, "Requests 20,001 to 100,000", 80_000m, 0.005m, 400m),
            (DraftLineKind.Usage, "Requests beyond 100,000", 15_007m, 0.002m, 30.01m),
        ]);
        (draft.Currency, draft.MinorUnits, draft.Total, draft.From, draft.To).ShouldBe(("EUR", 2, 659.01m, Start, Start.AddMonths(1)));
        (await billing.Invoices.RunningCostAsync(subscription.Organisation, default)).ShouldBe([new RunningCost("EUR", 2, 29m, 630.01m, 659.01m)]);
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task Calls_on_a_free_plan_are_on_the_draft_too(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var subscription = await billing.SubscribeAsync("free");
        await billing.UseAsync(subscription, Start, 10);
        var draft = (await billing.Invoices.DraftAsync(subscription.Organisation, default)).ShouldHaveSingleItem();
        draft.Groups.Single().Lines.Select(l => (l.Description, l.Quantity, l.Amount)).ShouldBe([("Base fee", 1m, 0m), ("Included requests", 10m, 0m)]);
        draft.Total.ShouldBe(0m);
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task A_change_of_plan_splits_fee_and_usage_at_its_minute(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var subscription = await billing.SubscribeAsync("pro");
        var change = Start.AddDays(15).AddHours(12);   // the middle of a period of 31 days
        await billing.UseAsync(subscription, change.AddMinutes(-1), 21_000);
        billing.Clock.Now = change.AddSeconds(40);
        await billing.Subscriptions.ChangePlanAsync(subscription.Organisation, subscription.Id, (await billing.PlanAsync("business")).Id, default);
        await billing.UseAsync(subscription, change, 500_010);
        billing.Clock.Advance(TimeSpan.FromDays(1));
        await billing.Rollup.RunAsync(default);

        var draft = (await billing.Invoices.DraftAsync(subscription.Organisation, default)).ShouldHaveSingleItem();
        draft.Groups.Single().Lines.Select(l => (l.Plan, l.Description, l.Quantity, l.Amount)).ShouldBe(
        [
            ("Pro v1", "Base fee", 0.5m, 14.50m),
            ("Pro v1", "Requests 1 to 20,000", 20_000m, 200.00m),
            ("Pro v1", "Requests 20,001 to 100,000", 1_000m, 5.00m),
            ("Business v1", "Base fee", 0.5m, 99.50m),
            ("Business v1", "Included requests, up to 500,000", 500_000m, 0m),
            ("Business v1", "Requests 500,001 to 2,000,000", 10m, 0.00m),
        ]);
        draft.Total.ShouldBe(319.00m);
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task Going_to_and_fro_between_plans_wins_no_second_first_tier(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var subscription = await billing.SubscribeAsync("pro");
        var (pro, free) = (subscription.PlanId, (await billing.PlanAsync("free")).Id);
        foreach (var (day, plan) in new[] { (1, free), (2, pro), (3, free), (4, pro) })
        {
            await billing.UseAsync(subscription, billing.Clock.Now, 15_000);
            billing.Clock.Now = Start.AddDays(day);
            await billing.Subscriptions.ChangePlanAsync(subscription.Organisation, subscription.Id, plan, default);
        }

        var lines = (await billing.Invoices.DraftAsync(subscription.Organisation, default)).Single().Groups.Single().Lines;
        lines.Where(l => l.Plan == "Pro v1" && l.Kind == DraftLineKind.Usage).Select(l => l.Quantity).ShouldBe([20_000m, 10_000m]);
        lines.Where(l => l.Kind == DraftLineKind.Fee).Sum(l => l.Quantity).ShouldBe(1m);
        lines.Where(l => l.Kind == DraftLineKind.Usage).Sum(l => l.Quantity).ShouldBe(60_000m, "every unit is on it once");
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task The_chart_of_costs_sums_up_to_the_usage_lines_to_the_cent(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var subscription = await billing.SubscribeAsync("pro");
        var random = new Random(3);
        for (var i = 0; i < 60; i++) await billing.UseAsync(subscription, Start.AddMinutes(random.Next(0, 3 * 24 * 60)), random.Next(1, 6_000));
        billing.Clock.Now = Start.AddDays(2);
        await billing.Subscriptions.ReassignAsync(subscription.Id, (await billing.PlanAsync("business")).Id, default);
        billing.Clock.Now = Start.AddDays(3);
        await billing.Rollup.RunAsync(default);

        var cost = (await billing.Invoices.RunningCostAsync(subscription.Organisation, default)).Single();
        cost.Usage.ShouldBeGreaterThan(10m);
        foreach (var bucket in new[] { UsageBucket.Hour, UsageBucket.Minute })
        {
            var series = (await billing.Invoices.CostSeriesAsync(subscription.Organisation, new UsageFilter(), Start, Start.AddDays(4), bucket, default)).ShouldHaveSingleItem();
            series.Points.Sum(p => p.Cost).ShouldBe(cost.Usage);
            series.Points.ShouldAllBe(p => p.Cost >= 0);
            series.Points.Sum(p => p.Units).ShouldBe((await billing.Usage.TotalsAsync(subscription.Organisation, default)).Single().Units);

            // A window in the middle shows the same amounts as the whole chart does there.
            var window = (await billing.Invoices.CostSeriesAsync(subscription.Organisation, new UsageFilter(subscription.Application), Start.AddDays(1), Start.AddDays(2), bucket, default)).Single();
            window.Points.ShouldBe(series.Points.Where(p => p.At >= Start.AddDays(1) && p.At < Start.AddDays(2)));
        }
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task Periods_follow_the_anchor_and_each_has_its_own_tiers(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres, now: new DateTimeOffset(2026, 1, 31, 9, 30, 15, TimeSpan.Zero));
        var subscription = await billing.SubscribeAsync("pro");
        await billing.UseAsync(subscription, new DateTimeOffset(2026, 2, 28, 9, 29, 0, TimeSpan.Zero), 20_001);
        await billing.UseAsync(subscription, new DateTimeOffset(2026, 2, 28, 9, 30, 0, TimeSpan.Zero), 19_999);
        billing.Clock.Now = new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);
        var draft = (await billing.Invoices.DraftAsync(subscription.Organisation, default)).Single();
        (draft.From, draft.To).ShouldBe((new(2026, 2, 28, 9, 30, 0, TimeSpan.Zero), new(2026, 3, 31, 9, 30, 0, TimeSpan.Zero)));
        draft.Groups.Single().Lines.Where(l => l.Kind == DraftLineKind.Usage).Select(l => l.Quantity).ShouldBe([19_999m]);
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task What_ended_is_owed_in_its_period_and_not_after(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var organisation = OrganisationId.New();
        var cancelled = await billing.SubscribeAsync("pro", organisation);
        var paused = await billing.SubscribeAsync("business", organisation);
        await billing.UseAsync(cancelled, Start, 5);
        billing.Clock.Now = Start.AddDays(2);
        await billing.Subscriptions.CancelAsync(organisation, cancelled.Id, default);
        await billing.Subscriptions.PauseAsync(paused.Id, default);
        await billing.UseAsync(cancelled, Start.AddDays(2), 1);   // a call that was under way

        var draft = (await billing.Invoices.DraftAsync(organisation, default)).Single();
        draft.Total.ShouldBe(228.06m);   // both fees, and six calls at 0.01
        draft.Groups.Single(g => g.Subscription == cancelled.Id).Lines[^1].Quantity.ShouldBe(6m);

        billing.Clock.Now = Start.AddMonths(1);
        (await billing.Invoices.DraftAsync(organisation, default)).ShouldBeEmpty();
    }

    [Theory, MemberData(nameof(BillingHost.Shapes), MemberType = typeof(BillingHost))]
    public async Task Each_currency_has_a_draft_of_its_own(bool postgres)
    {
        await using var billing = await BillingHost.StartAsync(postgres);
        var organisation = OrganisationId.New();
        await billing.SubscribeAsync("pro", organisation);
        var yen = new PlanTerms("JPY", [new FlatPrice(1_500m), GraduatedPrice.PerUnit(0.5m)], [], []);
        await billing.Catalogue.PublishPlanVersionAsync((await billing.PlanAsync("pro")).Id, yen, default);
        var inYen = await billing.SubscribeAsync("pro", organisation);
        await billing.UseAsync(inYen, Start, 3);
        (await billing.Invoices.DraftAsync(organisation, default)).Select(d => (d.Currency, d.MinorUnits, d.Total)).ShouldBe([("EUR", 2, 29m), ("JPY", 0, 1_502m)]);
        (await billing.Invoices.DraftAsync(OrganisationId.New(), default)).ShouldBeEmpty();
    }
}
