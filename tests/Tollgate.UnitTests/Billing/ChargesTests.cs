using Tollgate.Billing.Invoicing;
using Tollgate.Billing.Rating;
using Tollgate.Contracts;

namespace Tollgate.UnitTests.Billing;

public sealed class ChargesTests
{
    private static readonly DateTimeOffset Start = new(2026, 4, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly BilledVersion Cheap = new(PlanVersionId.New(), "Cheap v1", Currency.Of("EUR"),
        [new FlatPrice(10m), new GraduatedPrice([new Tier(100, 0m), new Tier(null, 0.003m)])]);

    private static readonly BilledVersion Dear = new(PlanVersionId.New(), "Dear v1", Currency.Of("EUR"),
        [new FlatPrice(100m), GraduatedPrice.PerUnit(0.0071m), GraduatedPrice.PerUnit(0.5m, "tokens")]);

    [Fact]
    public void The_shares_of_a_period_sum_up_to_one()
    {
        // A third is no decimal: what is left goes to the last.
        var thirds = Subscription((0, Cheap), (10, Dear), (20, Cheap with { Id = PlanVersionId.New() }));
        var fees = Charges.Of(thirds, []).Select(l => l.Line).ToList();
        fees.Select(l => l.Quantity).ShouldBe([0.333333m, 0.333333m, 0.333334m]);
        fees.Select(l => l.Amount).ShouldBe([3.33m, 33.33m, 3.33m]);
        (fees[1].From, fees[1].To).ShouldBe((Start.AddDays(10), Start.AddDays(20)));
    }

    [Fact]
    public void No_fee_is_owed_for_a_period_in_which_nothing_ran() => Charges.Of(Subscription((0, Cheap)) with { OwesFee = false }, []).ShouldBeEmpty();

    [Fact]
    public void Each_meter_has_its_own_price_and_one_without_is_shown_at_zero()
    {
        var lines = Charges.Of(Subscription((0, Dear)),
            [new(Dear.Id, "tokens", 0, 3), new(Dear.Id, "requests", 0, 1_000), new(Dear.Id, "megabytes", 0, 9)]).Select(l => l.Line).ToList();
        lines.Select(l => (l.Description, l.Amount)).ShouldBe([("Base fee", 100m), ("Included megabytes", 0m), ("Requests", 7.10m), ("Tokens", 1.50m)]);
    }

    [Fact]
    public void Costs_of_pieces_sum_up_to_the_lines_to_the_cent_whatever_the_pieces()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var subscription = Subscription((0, Cheap), (15, Dear));
            var usage = Enumerable.Range(0, random.Next(1, 80)).Select(_ =>
                new MeteredUnits(random.Next(2) == 0 ? Cheap.Id : Dear.Id, random.Next(3) == 0 ? "tokens" : "requests", random.Next(1_000), random.Next(300))).ToList();
            var lines = Charges.Of(subscription, usage).Select(l => l.Line).Where(l => l.Kind == DraftLineKind.Usage).ToList();
            var costs = Charges.Costs(subscription, usage).ToList();
            costs.Sum(c => c.Cost).ShouldBe(lines.Sum(l => l.Amount), $"seed {seed}");
            costs.ShouldAllBe(c => c.Cost >= 0);

            var shuffled = Charges.Of(subscription, [.. usage.OrderBy(_ => random.Next())]).Select(l => l.Line);
            shuffled.Where(l => l.Kind == DraftLineKind.Usage).ShouldBe(lines, $"seed {seed}: the order of arrival does not matter");
        }
    }

    private static BilledSubscription Subscription(params (int FromDay, BilledVersion Version)[] versions) => new(SubscriptionId.New(), AppId.New(), "weather", "Weather",
        BillingPeriod.At(Start, Start), OwesFee: true, [.. versions.Select((v, i) => new Stretch(i == 0 ? DateTimeOffset.UnixEpoch : Start.AddDays(v.FromDay),
            i + 1 < versions.Length ? Start.AddDays(versions[i + 1].FromDay) : DateTimeOffset.MaxValue, v.Version))]);
}
