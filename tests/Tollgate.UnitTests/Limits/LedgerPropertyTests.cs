using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Metering;
using Tollgate.Gateway.Policy.Plans;

namespace Tollgate.UnitTests.Limits;

/// <summary>The ledger's promises, by many random runs with nodes whose clocks are wrong and who die with leases in their hands.</summary>
public sealed class LedgerPropertyTests
{
    [Fact]
    public void Whatever_nodes_clocks_say_and_whoever_dies_no_window_holds_more_than_its_limit()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var time = new VirtualTime();
            var count = random.Next(2, 7);
            var ledger = new MemoryLedger(time, count);
            var subscription = SubscriptionId.New();
            var windowMs = new[] { 100, 400, 1000, 3000, 60_000 }[random.Next(5)];
            var limit = new RateLimit("window", random.Next(1, 300), windowMs);
            PlanLimits NewNode(int number) => new(ledger, Some.NothingUsed, new SkewedTime(time, TimeSpan.FromMilliseconds(random.Next(-3_600_000, 3_600_000))), $"node-{number}");
            var nodes = Enumerable.Range(0, count).Select(NewNode).ToArray();
            var plans = nodes.Select(_ => Some.EntitlementOf(subscription, limit)).ToArray();
            var admitted = new List<(long AtUs, long Units)>();
            for (var call = 0; call < 1200; call++)
            {
                var node = random.Next(2) == 0 ? 0 : random.Next(count);
                var units = random.Next(12) == 0 ? random.Next(1, 5) : 1;
                if (nodes[node].Decide(plans[node], units, false, out _).IsGranted)
                    admitted.Add((time.NowUs, units));
                if (random.Next(3) == 0)
                    time.AdvanceUs(random.Next((int)Math.Max(2, windowMs * 2000L / limit.Units)));
                if (random.Next(60) == 0)
                    nodes[random.Next(count)].Tidy();
                if (random.Next(200) == 0)    // killed with what it had in hand; another takes its place and knows nothing
                    (nodes[node], plans[node]) = (NewNode(node), Some.EntitlementOf(subscription, limit));
            }
            StrictWindowTests.ShouldHold(admitted, windowMs * 1000L, limit.Units, seed);
        }
    }

    [Fact]
    public void Of_a_quota_what_nodes_spent_hold_and_left_is_always_the_whole_and_the_last_unit_is_spent()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var time = new VirtualTime();
            var count = random.Next(2, 6);
            var ledger = new MemoryLedger(time, count);
            var quota = new Quota("month", random.Next(20, 3000), QuotaPeriod.Month, true, 0);
            var subscription = SubscriptionId.New();
            var journals = Enumerable.Range(0, count).Select(_ => new Spent()).ToArray();
            PlanLimits NewNode(int number) => new(ledger, journals[number], time, $"node-{number}");
            var nodes = Enumerable.Range(0, count).Select(NewNode).ToArray();
            var plans = nodes.Select(_ => Some.EntitlementOf(subscription, quota)).ToArray();
            for (var call = 0; call < quota.Units * 3; call++)
            {
                var node = random.Next(2) == 0 ? 0 : random.Next(count);
                if (nodes[node].Decide(plans[node], 1, false, out _).IsGranted)
                    journals[node].Units++;
                journals.Sum(journal => journal.Units).ShouldBeLessThanOrEqualTo(quota.Units, $"seed {seed}");
                if (random.Next(10) == 0)
                    time.AdvanceUs(random.Next(50_000));
                if (random.Next(50) == 0)
                    nodes[random.Next(count)].Tidy();
                if (random.Next(150) == 0)    // kill -9: its lease is in nobody's hand until it is back
                {
                    (nodes[node], plans[node]) = (NewNode(node), Some.EntitlementOf(subscription, quota));
                    nodes[node].SettleAsync([plans[node]]).IsCompletedSuccessfully.ShouldBeTrue();
                }
            }
            for (var round = 0; round < 20 && journals.Sum(journal => journal.Units) < quota.Units; round++)
            {
                time.Advance(TimeSpan.FromSeconds(3));
                foreach (var node in nodes)
                    node.Tidy();
                for (var call = 0; call < quota.Units; call++)
                {
                    if (nodes[call % count].Decide(plans[call % count], 1, false, out _).IsGranted)
                        journals[call % count].Units++;
                }
            }
            journals.Sum(journal => journal.Units).ShouldBe(quota.Units, $"seed {seed}");
        }
    }

    [Fact]
    public void Over_several_limits_a_call_is_charged_everywhere_or_nowhere()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var time = new VirtualTime();
            var ledger = new MemoryLedger(time);
            var limits = new PlanLimits(ledger, Some.NothingUsed, time);
            var first = new RateLimit("first", random.Next(1, 60), 3_600_000);
            var second = new RateLimit("second", random.Next(1, 60), 7_200_000);
            var quota = Some.PerMonth(random.Next(1, 60));
            var plan = Some.Entitlement(first, second, quota);
            var spent = 0L;
            for (var call = 0; call < 150; call++)
            {
                var units = random.Next(1, 5);
                if (limits.Decide(plan, units, false, out _).IsGranted)
                    spent += units;
            }
            spent.ShouldBeLessThanOrEqualTo(Math.Min(Math.Min(first.Units, second.Units), quota.Units));

            // Each by itself has exactly what the admitted calls left it.
            foreach (var (alone, units) in new (object, long)[] { (first, first.Units), (second, second.Units), (quota, quota.Units) })
            {
                var rest = Some.EntitlementOf(plan.Subscription, alone);
                var left = 0;
                while (limits.Decide(rest, 1, false, out _).IsGranted)
                    left++;
                left.ShouldBe((int)(units - spent), $"seed {seed}");
            }
        }
    }

    /// <summary>A node's own wall clock: its timer runs like everybody's, its date does not.</summary>
    private sealed class SkewedTime(VirtualTime time, TimeSpan skew) : TimeProvider
    {
        public override long TimestampFrequency => time.TimestampFrequency;

        public override long GetTimestamp() => time.GetTimestamp() + (long)skew.TotalMicroseconds + 7_200_000_000;

        public override DateTimeOffset GetUtcNow() => time.GetUtcNow() + skew;
    }

    private sealed class Spent : IQuotaBase
    {
        public long Units { get; set; }

        public QuotaUse Here(UsageOwner owner, long fromUnixMs, long toUnixMs) => new(Units, IsWhole: true);

        public ValueTask<QuotaUse?> EverywhereAsync(UsageOwner owner, long fromUnixMs, long toUnixMs) => new(Here(owner, fromUnixMs, toUnixMs));
    }
}
