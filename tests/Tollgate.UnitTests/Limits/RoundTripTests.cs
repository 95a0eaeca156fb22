using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Policy.Limits;
using Xunit.Abstractions;

namespace Tollgate.UnitTests.Limits;

/// <summary>How seldom a cluster asks its ledger where much is allowed a second, and how much of it is used all the same.</summary>
public sealed class RoundTripTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1000, 1000, 5000, 0.6)]      // overload of a limit of exactly 1,000 a second
    [InlineData(1000, 1000, 1500, 0.6)]
    [InlineData(2500, 1000, 1300, 0.99)]     // load below the limit
    [InlineData(60_000, 60_000, 950, 0.99)]
    [InlineData(5000, 1000, 20_000, 0.6)]
    public void At_a_thousand_calls_a_second_a_round_trip_serves_many(int limit, int windowMs, int perSecond, double share)
    {
        var time = new VirtualTime();
        var ledger = new CountingLedger(new MemoryLedger(time, 4));
        var nodes = Enumerable.Range(0, 4).Select(node => new PlanLimits(ledger, Some.NothingUsed, time, $"node-{node}")).ToArray();
        var subscription = SubscriptionId.New();
        var plans = nodes.Select(_ => Some.EntitlementOf(subscription, new RateLimit("limit", limit, windowMs))).ToArray();
        var random = new Random(1);
        var (admitted, offered, asks) = (0, 0, 0);
        for (var tick = 0; time.NowUs < 12_000_000; tick++)
        {
            var dice = random.Next(100);
            var node = dice < 70 ? 0 : dice < 90 ? 1 : dice < 98 ? 2 : 3;
            var granted = nodes[node].Decide(plans[node], 1, false, out _).IsGranted;
            if (time.NowUs >= 2_000_000)
            {
                if (granted) admitted++;
                offered++;
            }
            else
            {
                asks = ledger.Asks;
            }
            var before = time.NowUs / 1_000_000;
            time.AdvanceUs(random.Next(2 * 1_000_000 / perSecond));
            if (time.NowUs / 1_000_000 > before)
            {
                foreach (var each in nodes) each.Tidy();
            }
        }
        asks = ledger.Asks - asks;
        output.WriteLine($"{limit} per {windowMs} ms, {perSecond} a second offered: {admitted / 10} a second admitted, {asks / 10.0} asks a second, {admitted / (double)asks:0} admitted an ask");
        admitted.ShouldBeGreaterThan((int)(share * 10 * Math.Min(perSecond * 0.97, limit * 1000.0 / windowMs)));
        (admitted / (double)asks).ShouldBeGreaterThan(55);
    }

    private sealed class CountingLedger(ILedger inner) : ILedger
    {
        public int Asks { get; private set; }

        public bool IsShared => inner.IsShared;
        public int Nodes => inner.Nodes;
        public int Rank => inner.Rank;
        public bool IsAway => inner.IsAway;

        public ValueTask<LedgerAnswer> AskWindowAsync(string key, long limit, long windowMs, LedgerAsk ask)
        {
            Asks++;
            return inner.AskWindowAsync(key, limit, windowMs, ask);
        }

        public ValueTask<bool> TellWindowAsync(string key, long windowMs, IReadOnlyList<SpentUnits> spent) => inner.TellWindowAsync(key, windowMs, spent);

        public ValueTask<LedgerAnswer> AskQuotaAsync(string key, string node, long limit, bool hard, LedgerAsk ask) => inner.AskQuotaAsync(key, node, limit, hard, ask);

        public ValueTask<long?> JoinQuotaAsync(string key, string node, QuotaPart part, long lifetimeMs) => inner.JoinQuotaAsync(key, node, part, lifetimeMs);

        public ValueTask<bool> ResetAsync(string key, bool quota, Guid? order = null) => inner.ResetAsync(key, quota, order);

        public void Tidy() => inner.Tidy();
    }
}
