using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Policy.Limits;

namespace Tollgate.UnitTests.Limits;

/// <summary>The promise of the sliding window, by many random runs on a clock that the test owns.</summary>
public sealed class StrictWindowTests
{
    [Fact]
    public void In_no_interval_of_the_windows_length_is_more_than_the_limit_admitted_by_all_nodes_together()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var time = new VirtualTime();
            var nodes = random.Next(1, 6);
            var ledger = new MemoryLedger(time, nodes);
            var gateways = Enumerable.Range(0, nodes).Select(node => new PlanLimits(ledger, Some.NothingUsed, time, $"node-{node}")).ToArray();
            var windowMs = new[] { 100, 250, 1000, 2000, 7001, 60_000 }[random.Next(6)];
            var limit = new RateLimit("window", random.Next(1, 200), windowMs);
            var subscription = Tollgate.Contracts.SubscriptionId.New();
            var plans = gateways.Select(_ => Some.EntitlementOf(subscription, limit, Some.PerMonth(random.Next(1, 2) * 1_000_000))).ToArray();
            var pauseUs = (int)Math.Max(2, windowMs * 1000L / limit.Units * (1 + random.Next(3)));

            var admitted = new List<(long AtUs, long Units)>();
            for (var call = 0; call < 1500; call++)
            {
                var node = random.Next(3) == 0 ? random.Next(nodes) : 0;    // skewed balancing
                var units = random.Next(10) == 0 ? random.Next(1, 4) : 1;
                if (gateways[node].Decide(plans[node], units, false, out _).IsGranted)
                    admitted.Add((time.NowUs, units));
                if (random.Next(4) == 0)
                    time.AdvanceUs(random.Next(pauseUs));
                if (random.Next(40) == 0)
                    gateways[random.Next(nodes)].Tidy();
                if (random.Next(300) == 0)
                    time.AdvanceUs(random.Next(windowMs * 1500));
            }

            ShouldHold(admitted, windowMs * 1000L, limit.Units, seed);
        }
    }

    [Fact]
    public void Under_overload_nearly_all_that_is_allowed_is_used()
    {
        foreach (var (units, windowMs, nodes) in new[] { (1000, 60_000, 4), (50, 2000, 4), (100, 1000, 2), (10, 60_000, 2) })
        {
            var time = new VirtualTime();
            var ledger = new MemoryLedger(time, nodes);
            var gateways = Enumerable.Range(0, nodes).Select(node => new PlanLimits(ledger, Some.NothingUsed, time, $"node-{node}")).ToArray();
            var subscription = Tollgate.Contracts.SubscriptionId.New();
            var plans = gateways.Select(_ => Some.EntitlementOf(subscription, new RateLimit("window", units, windowMs))).ToArray();
            var random = new Random(units);

            var admitted = 0;
            const int windows = 5;
            var lastTidy = 0L;
            while (time.NowUs < windowMs * 1000L * windows)
            {
                var dice = random.Next(100);
                var node = dice < 70 ? 0 : dice < 90 ? 1 % nodes : dice < 98 ? 2 % nodes : 3 % nodes;
                if (gateways[node].Decide(plans[node], 1, false, out _).IsGranted)
                    admitted++;
                time.AdvanceUs(Math.Max(1, windowMs * 1000L / units / 20));
                if (time.NowUs - lastTidy < 1_000_000)
                    continue;
                lastTidy = time.NowUs;
                foreach (var gateway in gateways)
                    gateway.Tidy();
            }

            // A strict window over buckets gives each unit for W and one bucket more.
            var possible = windows * units;
            admitted.ShouldBeInRange((int)(possible * 0.80), possible + units, $"{units} per {windowMs} ms on {nodes} nodes");
        }
    }

    internal static void ShouldHold(List<(long AtUs, long Units)> admitted, long windowUs, long limit, int seed)
    {
        var oldest = 0;
        var sum = 0L;
        foreach (var (at, units) in admitted)
        {
            sum += units;
            while (at - admitted[oldest].AtUs >= windowUs)
                sum -= admitted[oldest++].Units;
            sum.ShouldBeLessThanOrEqualTo(limit, $"seed {seed}, at {at} µs");
        }
    }
}
