using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Metering;
using Tollgate.Gateway.Policy.Plans;
using Tollgate.ServiceDefaults.Redis;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Limits;

/// <summary>
/// The ledger's promises by random runs on a real Redis whose scripts take their time from the test instead of <c>TIME</c>: nothing else of them is changed.
/// The same runs as of the ledger in memory: nodes with clocks that are wrong, and that die with leases in their hands.
/// </summary>
public sealed class RedisPropertyTests : IAsyncLifetime
{
    private const int Nodes = 4;
    private static readonly int Seeds = TestScale.Of(12, 200);

    private readonly OwnTime _time = new();
    private RedisServer _server = null!;
    private RedisLedger[] _ledgers = [];
    private TcpClient _clock = null!;
    private StreamReader _answers = null!;

    public async Task InitializeAsync()
    {
        _server = await RedisServer.StartAsync();
        _clock = new TcpClient { NoDelay = true };
        await _clock.ConnectAsync("127.0.0.1", _server.Port);
        _answers = new StreamReader(_clock.GetStream());
        await SetClockAsync();
        var scripts = new LedgerScripts(clock: "redis.call('HMGET', 'test:clock', 's', 'us')", lifeMs: "600000");
        _ledgers = Enumerable.Range(0, Nodes)
            .Select(node => new RedisLedger(RedisConnection.Start(_server.ConnectionString, NullLogger<RedisConnection>.Instance), NullLogger<RedisLedger>.Instance, $"node-{node}", scripts))
            .ToArray();
        await Task.WhenAll(_ledgers.Select(ledger => ledger.FirstAnswer.WaitAsync(Deadline.Default)));
        await Deadline.UntilAsync("the nodes know of each other", () => Task.FromResult(_ledgers.All(ledger => ledger.Nodes == Nodes)));
    }

    public async Task DisposeAsync()
    {
        foreach (var ledger in _ledgers) await ledger.DisposeAsync();
        _clock.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Whatever_nodes_clocks_say_and_whoever_dies_no_window_holds_more_than_its_limit()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var random = new Random(seed);
            var subscription = SubscriptionId.New();
            var windowMs = new[] { 100, 400, 1000, 3000, 60_000 }[random.Next(5)];
            var limit = new RateLimit("window", random.Next(4) == 0 ? random.Next(500, 3000) : random.Next(1, 300), windowMs);
            var nodes = Enumerable.Range(0, Nodes).Select(number => NewNode(number, random)).ToArray();
            var plans = nodes.Select(_ => EntitlementOf(subscription, limit)).ToArray();
            var admitted = new List<(long AtUs, long Units)>();
            for (var call = 0; call < 800; call++)
            {
                var node = random.Next(2) == 0 ? 0 : random.Next(Nodes);
                var units = random.Next(12) == 0 ? random.Next(1, 5) : 1;
                if (await nodes[node].CallAsync(plans[node], units)) admitted.Add((_time.NowUs, units));
                if (random.Next(3) == 0) await AdvanceAsync(random.Next((int)Math.Max(2, windowMs * 2000L / limit.Units)));
                if (random.Next(60) == 0) nodes[random.Next(Nodes)].Limits.Tidy();
                if (random.Next(200) == 0)    // killed with what it had in hand; another takes its place and knows nothing
                    (nodes[node], plans[node]) = (NewNode(node, random), EntitlementOf(subscription, limit));
            }
            ShouldHold(admitted, windowMs * 1000L, limit.Units, seed);
            admitted.ShouldNotBeEmpty();
        }
    }

    [Fact]
    public async Task Of_a_quota_what_nodes_spent_hold_and_left_is_always_the_whole_and_the_last_unit_is_spent()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var random = new Random(seed);
            var quota = new Quota("month", random.Next(20, 600), QuotaPeriod.Month, true, 0);
            var subscription = SubscriptionId.New();
            var journals = Enumerable.Range(0, Nodes).Select(_ => new Spent()).ToArray();
            var nodes = Enumerable.Range(0, Nodes).Select(number => NewNode(number, null, journals[number])).ToArray();
            var plans = nodes.Select(_ => EntitlementOf(subscription, quota)).ToArray();
            for (var call = 0; call < quota.Units * 2; call++)
            {
                var node = random.Next(2) == 0 ? 0 : random.Next(Nodes);
                if (await nodes[node].CallAsync(plans[node], 1)) journals[node].Units++;
                journals.Sum(journal => journal.Units).ShouldBeLessThanOrEqualTo(quota.Units, $"seed {seed}");
                if (random.Next(10) == 0) await AdvanceAsync(random.Next(50_000));
                if (random.Next(50) == 0) nodes[random.Next(Nodes)].Limits.Tidy();
                if (random.Next(150) == 0)    // kill -9: its lease is in nobody's hand until it is back
                {
                    (nodes[node], plans[node]) = (NewNode(node, null, journals[node]), EntitlementOf(subscription, quota));
                    (await nodes[node].Limits.SettleAsync([plans[node]])).ShouldBeTrue();
                }
            }
            await Deadline.UntilAsync($"seed {seed}: the last unit is spent", async () =>
            {
                await AdvanceAsync(3_000_000);
                foreach (var node in nodes) node.Limits.Tidy();
                for (var call = 0; call < Nodes * 20; call++)
                {
                    if (await nodes[call % Nodes].CallAsync(plans[call % Nodes], 1)) journals[call % Nodes].Units++;
                }
                return journals.Sum(journal => journal.Units) >= quota.Units;
            });
            journals.Sum(journal => journal.Units).ShouldBe(quota.Units, $"seed {seed}");
        }
    }

    [Fact]
    public async Task Over_several_limits_a_call_is_charged_everywhere_or_nowhere()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var random = new Random(seed);
            var node = NewNode(seed % Nodes, null);
            var first = new RateLimit("first", random.Next(1, 60), 3_600_000);
            var second = new RateLimit("second", random.Next(1, 60), 7_200_000);
            var quota = new Quota("month", random.Next(1, 60), QuotaPeriod.Month, true, 0);
            var plan = EntitlementOf(SubscriptionId.New(), first, second, quota);
            var spent = 0L;
            for (var call = 0; call < 150; call++)
            {
                var units = random.Next(1, 5);
                if (await node.CallAsync(plan, units)) spent += units;
            }
            spent.ShouldBeLessThanOrEqualTo(Math.Min(Math.Min(first.Units, second.Units), quota.Units));

            // Each by itself has exactly what the admitted calls left it.
            foreach (var (alone, units) in new (object, long)[] { (first, first.Units), (second, second.Units), (quota, quota.Units) })
            {
                var rest = EntitlementOf(plan.Subscription, alone);
                var left = 0;
                for (var round = 0; round < 4; round++)
                {
                    while (await node.CallAsync(rest, 1)) left++;
                    await AdvanceAsync(3_000_000);
                    node.Limits.Tidy();
                }
                left.ShouldBe((int)(units - spent), $"seed {seed}");
            }
        }
    }

    private Node NewNode(int number, Random? skew, IQuotaBase? journal = null)
    {
        var time = new SkewedTime(_time, TimeSpan.FromMilliseconds(skew?.Next(-3_600_000, 3_600_000) ?? 0));
        return new Node(new PlanLimits(_ledgers[number], journal ?? new Spent(), time, $"node-{number}"), time);
    }

    private async Task AdvanceAsync(long us)
    {
        _time.AdvanceUs(us);
        await SetClockAsync();
    }

    private async Task SetClockAsync()
    {
        var (seconds, us) = Math.DivRem(1_773_000_000_000_000 + _time.NowUs, 1_000_000);
        await _clock.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes($"HSET test:clock s {seconds} us {us}\r\n"));
        (await _answers.ReadLineAsync())!.ShouldStartWith(":");
    }

    private static Entitlement EntitlementOf(SubscriptionId subscription, params object[] limits) => new()
    {
        Item = new EntitlementItem(subscription, AppId.New(), "weather", "gold", PlanVersionId.New(), EntitlementState.Active, LedgerLoss.FairShare,
            [.. limits.OfType<RateLimit>()], [.. limits.OfType<Quota>()]),
    };

    private static void ShouldHold(List<(long AtUs, long Units)> admitted, long windowUs, long limit, int seed)
    {
        var (oldest, sum) = (0, 0L);
        foreach (var (at, units) in admitted)
        {
            sum += units;
            while (at - admitted[oldest].AtUs >= windowUs) sum -= admitted[oldest++].Units;
            sum.ShouldBeLessThanOrEqualTo(limit, $"seed {seed}, at {at} µs");
        }
    }

    private sealed record Node(PlanLimits Limits, TimeProvider Time)
    {
        public async Task<bool> CallAsync(Entitlement plan, long units)
        {
            var call = new LimitedCall(units, ArrivedUnixMs: Time.GetUtcNow().ToUnixTimeMilliseconds());
            for (var look = 0; ; look++)
            {
                var verdict = Limits.Decide(plan, call, final: look == 20, out _);
                if (verdict.Arrival is not { } arrival) return verdict.IsGranted;
                await arrival.WaitAsync(Deadline.Default);
            }
        }
    }

    /// <summary>What the nodes and the scripts count by.</summary>
    private sealed class OwnTime : TimeProvider
    {
        private static readonly DateTimeOffset Start = new(2026, 3, 10, 9, 30, 0, TimeSpan.Zero);
        private long _us;

        public long NowUs => Interlocked.Read(ref _us);
        public override long TimestampFrequency => 1_000_000;
        public override long GetTimestamp() => 3_600_000_000 + NowUs;
        public override DateTimeOffset GetUtcNow() => Start.AddMicroseconds(NowUs);
        public void AdvanceUs(long us) => Interlocked.Add(ref _us, us);
    }

    /// <summary>A node's own wall clock: its timer runs like everybody's, its date does not.</summary>
    private sealed class SkewedTime(TimeProvider inner, TimeSpan skew) : TimeProvider
    {
        public override long TimestampFrequency => inner.TimestampFrequency;
        public override long GetTimestamp() => inner.GetTimestamp() + (long)skew.TotalMicroseconds;
        public override DateTimeOffset GetUtcNow() => inner.GetUtcNow() + skew;
    }

    private sealed class Spent : IQuotaBase
    {
        public long Units { get; set; }

        public QuotaUse Here(UsageOwner owner, long fromUnixMs, long toUnixMs) => new(Units, IsWhole: true);

        public ValueTask<QuotaUse?> EverywhereAsync(UsageOwner owner, long fromUnixMs, long toUnixMs) => new(new QuotaUse(Units, IsWhole: true));
    }
}
