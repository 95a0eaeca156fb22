using Tollgate.Contracts.Feeds;
using Tollgate.Contracts.Usage;
using Tollgate.Gateway.Metering;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Metering;
using Tollgate.Gateway.Policy.Plans;
using Tollgate.UnitTests.Metering;

namespace Tollgate.UnitTests.Limits;

/// <summary>Calls with test keys: limits like the live ones, in counters of their own.</summary>
public sealed class TestModeTests
{
    private readonly VirtualTime _time = new();

    [Fact]
    public void Calls_with_test_keys_have_the_plans_limits_to_themselves_and_no_cap_on_money()
    {
        var limits = new PlanLimits(new MemoryLedger(_time), Some.NothingUsed, _time);
        var live = Some.Entitlement(new RateLimit("hour", 4, 3_600_000), new RateLimit("company", 100, 3_600_000, Reach: new LimitReach(LimitPer.Organisation)), Some.PerMonth(3), new Quota(Quota.SpendCap, 2, QuotaPeriod.Month, true, 0));
        live.ForTests.ShouldBeSameAs(live.ForTests);
        live.ForTests.ForTests.ShouldBeSameAs(live.ForTests);

        Admitted(limits, live).ShouldBe(2);
        Admitted(limits, live.ForTests).ShouldBe(3);
        limits.Decide(live.ForTests, 1, final: true, out var standing).Refusal.ShouldBe(Refusal.QuotaExceeded);
        standing.Policy!.ShouldNotContain("spend-cap");
        limits.Decide(live, 1, final: true, out standing);
        standing.Policy!.ShouldContain("spend-cap");
        limits.Facts(_ => true).Select(facts => facts.Mode).Order().ShouldBe(["live", "test"]);
        limits.Facts(_ => true).SelectMany(facts => facts.Counters).Select(counter => counter.Key).ShouldBeUnique();
    }

    [Fact]
    public async Task To_begin_counters_anew_is_meant_for_both()
    {
        var limits = new PlanLimits(new MemoryLedger(_time), Some.NothingUsed, _time);
        var live = Some.Entitlement(new RateLimit("hour", 4, 3_600_000), Some.PerMonth(3));
        Admitted(limits, live).ShouldBe(3);
        Admitted(limits, live.ForTests).ShouldBe(3);
        (await limits.ResetAsync(live, null)).ShouldBe(["hour", "month"]);
        Admitted(limits, live).ShouldBe(3);
        Admitted(limits, live.ForTests).ShouldBe(3);
    }

    [Fact]
    public void The_journal_knows_the_ones_from_the_others_shipped_or_not_and_rows_name_them()
    {
        using var folder = new JournalFolder();
        var live = JournalFolder.Account();
        var test = live with { Credential = "key-test", Meter = Meters.Test };
        var (from, to) = (JournalFolder.Now - 1000, JournalFolder.Now + 1000);
        using (var journal = folder.Open(ships: true, time: _time))
        {
            Record(journal, live, 3);
            Record(journal, test, 5);
            journal.UnitsOf(live.Subscription, from, to).ShouldBe(3);
            journal.UnitsOf(new UsageOwner(live.Subscription, IsTest: true), from, to).ShouldBe(5);

            var stretch = new UsageSealer(journal, _time).Seal(waitForEnds: false)!;
            stretch.Batch.Rows.ToDictionary(row => row.Meter, row => row.Units).ShouldBe(new Dictionary<string, long> { [Meters.Requests] = 3, [Meters.Test] = 5 }, ignoreOrder: true);
            journal.Acknowledge(stretch.Next);
            Record(journal, test, 2);
        }
        using var next = folder.Open(ships: true, time: _time);
        next.UseOf(live.Subscription, from, to).ShouldBe((0, 3));
        next.UseOf(test.Owner, from, to).ShouldBe((2, 5));
        next.Owners().ShouldBe([live.Owner, test.Owner], ignoreOrder: true);
    }

    private static int Admitted(PlanLimits limits, Entitlement entitlement) =>
        Enumerable.Range(0, 10).Count(_ => limits.Decide(entitlement, 1, final: true, out var _).IsGranted);

    private static void Record(Journal journal, JournalAccount account, int calls)
    {
        for (var call = 0; call < calls; call++) journal.Complete(journal.Record(journal.AccountOf(account), 200, JournalFolder.Now + call, 1, (UInt128)(ulong)call), 1, 1);
    }
}
