using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Plans;
using Xunit.Abstractions;

namespace Tollgate.UnitTests.Limits;

/// <summary>
/// How seldom a cluster asks its ledger where much is allowed a second, how much of the limit is used all the same, and that load below it is never
/// refused: four nodes with 70, 20, 8 and 2 of a hundred calls and a ledger that takes its time to answer, by a clock of their own.
/// </summary>
public sealed class RoundTripTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1000, 1000, 7000, 0.75, 60)]      // far more than a limit of exactly 1,000 a second
    [InlineData(1000, 1000, 1500, 0.75, 40)]
    [InlineData(1000, 1000, 1000, 0.75, 30)]      // just as much
    [InlineData(5000, 1000, 20_000, 0.85, 100)]
    [InlineData(3000, 3000, 5000, 0.85, 60)]
    [InlineData(60_000, 60_000, 5000, 0.94, 100)]
    public void Under_overload_most_of_a_limit_is_used_and_a_round_trip_serves_many(int limit, int windowMs, int perSecond, double share, int callsAnAsk)
    {
        var played = Play(limit, windowMs, perSecond, latencyUs: 5000);
        played.MostInWindow.ShouldBeLessThanOrEqualTo(limit);
        played.AdmittedPerSecond.ShouldBeGreaterThan(share * limit * 1000 / windowMs);
        played.CallsAnAsk.ShouldBeGreaterThan(callsAnAsk);
    }

    [Theory]
    [InlineData(1000, 1000, 600, 5000, 40)]
    [InlineData(1000, 1000, 600, 25_000, 40)]     // a slow network, a busy machine
    [InlineData(1000, 1000, 780, 5000, 25)]
    [InlineData(2500, 1000, 1300, 5000, 90)]      // with the four commands of a script: more than twenty calls each
    [InlineData(2500, 1000, 1800, 5000, 90)]
    [InlineData(5000, 1000, 4000, 5000, 90)]
    [InlineData(60_000, 60_000, 930, 5000, 90)]
    public void Below_the_limit_nobody_is_refused_and_a_round_trip_serves_many(int limit, int windowMs, int perSecond, int latencyUs, int callsAnAsk)
    {
        var played = Play(limit, windowMs, perSecond, latencyUs);
        played.Refused.ShouldBe(0);
        played.CallsAnAsk.ShouldBeGreaterThan(callsAnAsk);
    }

    private Played Play(int limit, int windowMs, int perSecond, int latencyUs)
    {
        var time = new VirtualTime();
        var random = new Random(1);
        var ledger = new DistantLedger(new MemoryLedger(time, 4), time, latencyUs, random);
        var nodes = Enumerable.Range(0, 4).Select(node => new PlanLimits(ledger, Some.NothingUsed, time, $"node-{node}")).ToArray();
        var subscription = SubscriptionId.New();
        var plans = nodes.Select(_ => Some.EntitlementOf(subscription, new RateLimit("limit", limit, windowMs))).ToArray();
        var fromUs = Math.Max(3_000_000, windowMs * 1200L);
        var untilUs = fromUs + (Math.Max(2, 20_000 / windowMs) * windowMs * 1000L * 61 / 60);    // whole windows, with the bucket that each begins late
        var waiting = new List<(int Node, Task Arrival, LimitedCall Call, long ArrivedUs)>();
        var admitted = new List<long>();
        var (refused, asksBefore, nextCallUs, nextTidyUs) = (0, 0, 0L, 1_000_000L);
        while (time.NowUs < untilUs)
        {
            var nextUs = Math.Min(ledger.NextUs, Math.Min(nextCallUs, nextTidyUs));
            time.AdvanceUs(Math.Max(0, nextUs - time.NowUs));
            if (time.NowUs < fromUs)
                asksBefore = ledger.Asks;
            if (nextUs == ledger.NextUs)
            {
                ledger.Step();
                foreach (var call in waiting.Where(call => call.Arrival.IsCompleted).ToArray())
                {
                    waiting.Remove(call);
                    Call(call.Node, call.Call, call.ArrivedUs);
                }
            }
            else if (nextUs == nextTidyUs)
            {
                foreach (var node in nodes)
                    node.Tidy();
                nextTidyUs += 1_000_000;
            }
            else
            {
                Call(random.Next(100) switch { < 70 => 0, < 90 => 1, < 98 => 2, _ => 3 }, new LimitedCall(1, ArrivedUnixMs: time.GetUtcNow().ToUnixTimeMilliseconds()), time.NowUs);
                nextCallUs = time.NowUs + (long)(-Math.Log(1 - random.NextDouble()) * 1_000_000 / perSecond);
            }
        }

        var seconds = (untilUs - fromUs) / 1e6;
        var asks = ledger.Asks - asksBefore;
        var counted = admitted.Count(atUs => atUs >= fromUs);
        var played = new Played(counted / seconds, refused, counted / (double)asks, Most());
        output.WriteLine($"{limit} per {windowMs} ms, {perSecond} a second offered, answers within {latencyUs / 1000} ms: {played.AdmittedPerSecond:0} a second admitted, {refused} refused, {asks / seconds:0.0} asks a second, {played.CallsAnAsk:0} admitted an ask");
        return played;

        void Call(int node, LimitedCall call, long arrivedUs)
        {
            var verdict = nodes[node].Decide(plans[node], call, final: time.NowUs - arrivedUs > Verdict.LedgerMs * 1000, out _);
            if (verdict.Kind == VerdictKind.Pending)
                waiting.Add((node, verdict.Arrival!, call, arrivedUs));
            else if (verdict.IsGranted)
                admitted.Add(time.NowUs);
            else if (time.NowUs >= fromUs)
                refused++;
        }

        int Most()
        {
            var (most, oldest) = (0, 0);
            for (var i = 0; i < admitted.Count; i++)
            {
                while (admitted[i] - admitted[oldest] >= windowMs * 1000L)
                    oldest++;
                most = Math.Max(most, i - oldest + 1);
            }
            return most;
        }
    }

    private sealed record Played(double AdmittedPerSecond, int Refused, double CallsAnAsk, int MostInWindow);

    /// <summary>Counts what it is asked, and lets time pass on the way there and back.</summary>
    private sealed class DistantLedger(ILedger inner, VirtualTime time, int latencyUs, Random random) : PassingLedger(inner)
    {
        private readonly PriorityQueue<Action, long> _underway = new();

        public int Asks { get; private set; }
        public long NextUs => _underway.TryPeek(out _, out var atUs) ? atUs : long.MaxValue;

        public void Step() => _underway.Dequeue()();

        public override ValueTask<LedgerAnswer> AskWindowAsync(string key, long limit, long windowMs, LedgerAsk ask)
        {
            Asks++;
            var done = new TaskCompletionSource<LedgerAnswer>();
            After(() =>
            {
                var answer = base.AskWindowAsync(key, limit, windowMs, ask).GetAwaiter().GetResult();
                After(() => SetHere(done, answer));
            });
            return new(done.Task);
        }

        /// <summary>Whoever waits goes on here and now: time stands still until then.</summary>
        private static void SetHere(TaskCompletionSource<LedgerAnswer> done, LedgerAnswer answer)
        {
            var context = SynchronizationContext.Current;
            SynchronizationContext.SetSynchronizationContext(null);
            done.SetResult(answer);
            SynchronizationContext.SetSynchronizationContext(context);
        }

        private void After(Action act) => _underway.Enqueue(act, time.NowUs + random.Next(latencyUs / 4, latencyUs / 2));
    }
}
