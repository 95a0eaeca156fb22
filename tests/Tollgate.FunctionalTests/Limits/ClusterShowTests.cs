using System.Collections.Concurrent;
using System.Diagnostics;
using Tollgate.Contracts;
using Tollgate.Testing;
using Xunit.Abstractions;

namespace Tollgate.FunctionalTests.Limits;

/// <summary>What a cluster of real gateway processes admits. <c>TOLLGATE_TEST_SCALE=1</c> runs them whole.</summary>
public sealed class ClusterShowTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Four_gateways_admit_a_minutes_limit_nearly_to_the_last_call_and_not_beyond(bool killOne)
    {
        var key = ApiKeyFormat.Generate(false);
        await using var cluster = await FileCluster.StartAsync(4, """{ "name": "gold", "products": [ "api" ], "limits": [ { "name": "minute", "calls": 1000, "window": "60s" } ] }""", (key, "gold"));
        var calls = TestScale.Of(6_000, 50_000);
        var random = new Random(1);
        var nodes = Enumerable.Range(0, calls).Select(_ => cluster.Skewed(random)).ToArray();
        var started = Stopwatch.GetTimestamp();
        var admitted = 0;

        var kill = Task.CompletedTask;
        await Task.WhenAll(nodes.Select(async (node, i) =>
        {
            if ((await cluster.CallAsync(node, key)).IsAdmitted && Interlocked.Increment(ref admitted) == 300 && killOne)
                kill = cluster.Gateways[1].Process.KillAsync();
        }));
        await kill;
        // What idle nodes hold of leases comes back within seconds, and the next caller has it.
        var rest = Stopwatch.GetTimestamp();
        while (cluster.Arrived < 1000 && Stopwatch.GetElapsedTime(rest) < (cluster.Arrived < 985 ? Deadline.Default : TimeSpan.FromSeconds(8)))
        {
            if (!(await cluster.CallAsync(0, key)).IsAdmitted) await Task.Delay(100);
        }

        var windows = 1 + (int)(Stopwatch.GetElapsedTime(started) / TimeSpan.FromSeconds(60));    // a slow machine needs more than one
        output.WriteLine($"{calls} calls, kill {killOne}: {cluster.Arrived} admitted in {Stopwatch.GetElapsedTime(started).TotalSeconds:0.0} s");
        cluster.Arrived.ShouldBeInRange(985, 1000 * windows);
    }

    [Fact]
    public async Task In_no_two_seconds_do_four_gateways_admit_more_than_fifty()
    {
        var key = ApiKeyFormat.Generate(false);
        await using var cluster = await FileCluster.StartAsync(4, """{ "name": "gold", "products": [ "api" ], "limits": [ { "name": "short", "calls": 50, "window": "2s" } ] }""", (key, "gold"));
        var lasts = TimeSpan.FromSeconds(TestScale.Of(7, 30));
        var admitted = new ConcurrentBag<(long From, long To)>();
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, 32).Select(async caller =>
        {
            var random = new Random(caller);
            while (Stopwatch.GetElapsedTime(started) < lasts || (admitted.Count <= 100 && Stopwatch.GetElapsedTime(started) < Deadline.Default))
            {
                var from = Stopwatch.GetTimestamp();
                if ((await cluster.CallAsync(cluster.Skewed(random), key)).IsAdmitted) admitted.Add((from, Stopwatch.GetTimestamp()));
            }
        }));

        var most = Windows.Most(admitted, TimeSpan.FromSeconds(2));
        var share = admitted.Count / (50 * (lasts.TotalSeconds / 2 + 1));
        output.WriteLine($"at most {most} in any 2 s; {admitted.Count} in {lasts.TotalSeconds} s, {share:P0} of what is possible");
        most.ShouldBeLessThanOrEqualTo(50);
        admitted.Count.ShouldBeGreaterThan(100, "what was spent is free again");
    }

    [Theory]
    [InlineData(1_000_000, "60s")]
    [InlineData(60_000, "60s")]
    [InlineData(1000, "1s")]
    [InlineData(2500, "1s")]
    public async Task A_thousand_calls_a_second_cost_at_most_fifty_redis_operations(int calls, string window)
    {
        var key = ApiKeyFormat.Generate(false);
        await using var cluster = await FileCluster.StartAsync(4, $$"""{ "name": "gold", "products": [ "api" ], "limits": [ { "name": "limit", "calls": {{calls}}, "window": "{{window}}" } ] }""", (key, "gold"));
        var lasts = TimeSpan.FromSeconds(TestScale.Of(6, 20));
        var (warm, admitted) = (0, 0);
        (long Commands, long Scripts) before = default;
        var started = Stopwatch.GetTimestamp();
        var callers = Enumerable.Range(0, 48).Select(async caller =>
        {
            var random = new Random(caller);
            while (Stopwatch.GetElapsedTime(started) < lasts)
            {
                if ((await cluster.CallAsync(cluster.Skewed(random), key)).IsAdmitted) Interlocked.Increment(ref admitted);
            }
        }).ToArray();
        await Task.Delay(TimeSpan.FromSeconds(2));
        before = await cluster.RedisOperationsAsync();
        warm = admitted;
        var from = Stopwatch.GetTimestamp();
        await Task.WhenAll(callers);
        var seconds = Stopwatch.GetElapsedTime(from).TotalSeconds;
        var after = await cluster.RedisOperationsAsync();
        var (scripts, commands) = (after.Scripts - before.Scripts, after.Commands - before.Commands);
        output.WriteLine($"{calls} per {window}: {(admitted - warm) / seconds:0} admitted a second; {(admitted - warm) / (double)scripts:0} a script, {(admitted - warm) / (double)commands:0} a command");
        ((admitted - warm) / (double)scripts).ShouldBeGreaterThanOrEqualTo(Math.Min(20, (admitted - warm) / seconds / 50));
        if (calls > 1000)    // commands within scripts count too
            ((admitted - warm) / (double)commands).ShouldBeGreaterThanOrEqualTo(Math.Min(20, (admitted - warm) / seconds / 150));
    }

    [Fact]
    public async Task A_hard_quota_is_metered_to_the_last_unit_through_kills_and_never_beyond()
    {
        var key = ApiKeyFormat.Generate(false);
        var quota = TestScale.Of(1_500, 10_000);
        await using var cluster = await FileCluster.StartAsync(4, $$"""{ "name": "gold", "products": [ "api" ], "quotas": [ { "name": "month", "calls": {{quota}}, "period": "month", "hard": true } ] }""", (key, "gold"));
        using var stop = new CancellationTokenSource();
        var answered = 0;
        var callers = Enumerable.Range(0, 16).Select(async caller =>
        {
            var random = new Random(caller);
            while (!stop.IsCancellationRequested)
            {
                var answer = await cluster.CallAsync(random.Next(8) == 0 ? 3 : cluster.Skewed(random), key);
                if (answer.IsAdmitted) Interlocked.Increment(ref answered);
                if (!answer.IsAdmitted) await Task.Delay(20);
            }
        }).ToArray();

        foreach (var (node, part) in new[] { (0, 0.15), (3, 0.35), (1, 0.5), (0, 0.65), (2, 0.8) })
        {
            await Deadline.UntilAsync("calls are answered", () => Task.FromResult(Volatile.Read(ref answered) > quota * part));
            await cluster.Gateways[node].Process.KillAsync();
            (await cluster.MeteredAsync()).ShouldBeLessThanOrEqualTo(quota);
            await cluster.Gateways[node].StartProcessAsync();
        }

        // One more dies when nearly everything is used, and comes back.
        await Deadline.UntilAsync("nearly all is used", () => Task.FromResult(Volatile.Read(ref answered) > quota * 0.93));
        await cluster.Gateways[0].Process.KillAsync();
        await cluster.Gateways[0].StartProcessAsync();

        long metered = 0;
        try
        {
            await Deadline.UntilAsync("all is used", async () => (metered = await cluster.MeteredAsync()) >= quota);
        }
        catch (TimeoutException)
        {
            output.WriteLine(await cluster.RedisAsync("KEYS tg:*:q:*") + metered);
            throw;
        }

        for (var i = 0; i < 40; i++) (await cluster.CallAsync(i % 4, key)).Status.ShouldBe(429);
        await stop.CancelAsync();
        await Task.WhenAll(callers);
        metered = await cluster.MeteredAsync();
        output.WriteLine($"quota {quota}: {metered} metered, {answered} answered");
        metered.ShouldBe(quota);
        answered.ShouldBeLessThanOrEqualTo(quota);
    }

    [Theory]
    [InlineData(30)]
    [InlineData(3000)]
    public async Task What_is_said_to_remain_is_admitted_whichever_gateway_is_called(int limit)
    {
        var key = ApiKeyFormat.Generate(false);
        await using var cluster = await FileCluster.StartAsync(3, $$"""{ "name": "gold", "products": [ "api" ], "limits": [ { "name": "hour", "calls": {{limit}}, "window": "3600s" } ] }""", (key, "gold"));
        var random = new Random(3);
        var (promises, admitted) = (0, 0);
        while (admitted < limit * 0.9)
        {
            var answer = await cluster.CallAsync(random.Next(3), key);
            if (answer.IsAdmitted) admitted++;
            var promised = Math.Min(Remaining(answer), 12);
            for (var call = 0; call < promised; call++)
            {
                Answer next;
                do next = await cluster.CallAsync(random.Next(3), key);
                while (next.WasLate);
                next.IsAdmitted.ShouldBeTrue($"{answer.Standing}, call {call + 1} after it, {admitted} before");
                admitted++;
            }
            if (promised > 0) promises++;
        }
        promises.ShouldBeGreaterThan(2);
        Answer last;
        do last = await cluster.CallAsync(random.Next(3), key);
        while (last.IsAdmitted || last.WasLate);
        Remaining(last).ShouldBe(0);
        output.WriteLine($"{promises} promises kept, {admitted} admitted");

        static long Remaining(Answer answer) => long.Parse(answer.Standing.Split(";r=")[1].Split(';')[0], System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task Who_sleeps_exactly_as_long_as_told_is_admitted()
    {
        var tries = TestScale.Of(240, 10_000);
        var keys = Enumerable.Range(0, TestScale.Of(80, 500)).Select(_ => ApiKeyFormat.Generate(false)).ToArray();
        await using var cluster = await FileCluster.StartAsync(2, """
            { "name": "a", "products": [ "api" ], "limits": [ { "name": "second", "calls": 2, "window": "1s" }, { "name": "more", "calls": 5, "window": "4s" } ],
              "quotas": [ { "name": "day", "calls": 1000000, "period": "day" } ] },
            { "name": "b", "products": [ "api" ], "limits": [ { "name": "second", "calls": 1, "window": "1s" } ] },
            { "name": "c", "products": [ "api" ], "limits": [ { "name": "short", "calls": 3, "window": "700ms" } ] }
            """, keys.Select((key, i) => (key, "abc".Substring(i % 3, 1))).ToArray());
        var (done, refused) = (0, 0);
        await Task.WhenAll(keys.Select(async (key, number) =>
        {
            var random = new Random(number);
            while (Volatile.Read(ref done) < tries)
            {
                var answer = await cluster.CallAsync(random.Next(2), key);
                if (answer.IsAdmitted || answer.WasLate) continue;
                answer.Status.ShouldBe(429);
                await Sleep.ExactlyAsync(answer.RetryAfter!.Value);
                var again = await cluster.CallAsync(random.Next(2), key);
                if (again.WasLate) continue;
                Interlocked.Increment(ref done);
                if (again.IsAdmitted) continue;
                Interlocked.Increment(ref refused);
                output.WriteLine($"plan {"abc"[number % 3]}: told {answer.RetryAfter.Value.TotalSeconds} s ({answer.Standing}), then {again.Status} ({again.Standing}; {again.RetryAfter})");
            }
        }));
        output.WriteLine($"{done} tries, {refused} refused");
        refused.ShouldBeLessThanOrEqualTo(Math.Max(1, done / 1000));    // 99.9 of a hundred; one may be any small sample's
    }

    [Fact]
    public async Task Without_redis_no_answer_is_a_5xx_for_fair_share_and_no_plan_admits_more_than_it_allows()
    {
        var (fair, strict, minute) = (ApiKeyFormat.Generate(false), ApiKeyFormat.Generate(false), ApiKeyFormat.Generate(false));
        await using var cluster = await FileCluster.StartAsync(4, """
            { "name": "fair", "products": [ "api" ], "limits": [ { "name": "short", "calls": 200, "window": "2s" } ] },
            { "name": "strict", "products": [ "api" ], "onLedgerLoss": "closed", "limits": [ { "name": "short", "calls": 200, "window": "2s" } ] },
            { "name": "minute", "products": [ "api" ], "onLedgerLoss": "closed", "limits": [ { "name": "minute", "calls": 600, "window": "60s" } ] }
            """, (fair, "fair"), (strict, "strict"), (minute, "minute"));
        var away = TimeSpan.FromSeconds(TestScale.Of(4, 30));
        using var stop = new CancellationTokenSource();
        var admitted = new[] { fair, strict, minute }.ToDictionary(key => key, _ => new ConcurrentBag<(long From, long To)>());
        var statuses = new ConcurrentDictionary<(string, int), int>();
        var callers = admitted.Keys.SelectMany(key => Enumerable.Range(0, key == minute ? 1 : 8).Select(async caller =>
        {
            var random = new Random(caller);
            while (!stop.IsCancellationRequested)
            {
                var from = Stopwatch.GetTimestamp();
                var answer = await cluster.CallAsync(cluster.Skewed(random), key);
                if (answer.IsAdmitted) admitted[key].Add((from, Stopwatch.GetTimestamp()));
                statuses.AddOrUpdate((key == fair ? "fair" : "strict", answer.Status), 1, (_, count) => count + 1);
                if (key == minute) await Task.Delay(answer.IsAdmitted ? 1 : 5);
            }
        })).ToArray();

        await Task.Delay(TimeSpan.FromSeconds(3));
        await cluster.Redis.KillAsync();
        var killed = Stopwatch.GetTimestamp();
        await Task.Delay(away);
        await cluster.Redis.StartServerAsync();
        var back = Stopwatch.GetTimestamp();
        await Deadline.UntilAsync("strict plans are served again", () => Task.FromResult(admitted[strict].Any(call => call.From > back)));
        var served = Stopwatch.GetElapsedTime(back);
        var operations = await cluster.RedisOperationsAsync();
        await Task.Delay(TimeSpan.FromSeconds(3));
        await stop.CancelAsync();
        await Task.WhenAll(callers);

        var window = TimeSpan.FromSeconds(2);
        output.WriteLine(string.Join(", ", statuses.OrderBy(status => status.Key).Select(status => $"{status.Key.Item1} {status.Key.Item2}: {status.Value}")));
        output.WriteLine($"most in 2 s: fair {Windows.Most(admitted[fair], window)}, strict {Windows.Most(admitted[strict], window)}; minute {Windows.Most(admitted[minute], TimeSpan.FromMinutes(1))}; " +
            $"while away: fair {admitted[fair].Count(call => call.From > killed && call.To < back)}; strict served {served.TotalMilliseconds:0} ms after Redis answered, {operations.Scripts} scripts by then");
        statuses.Keys.ShouldNotContain(status => status.Item1 == "fair" && status.Item2 >= 500);
        statuses.Keys.ShouldAllBe(status => status.Item2 == 200 || status.Item2 == 429 || status.Item2 == 503);
        Windows.Most(admitted[fair], window).ShouldBeLessThanOrEqualTo(200);
        Windows.Most(admitted[strict], window).ShouldBeLessThanOrEqualTo(200);
        Windows.Most(admitted[minute], TimeSpan.FromMinutes(1)).ShouldBeLessThanOrEqualTo(600);
        admitted[fair].Count(call => call.From > killed && call.To < back).ShouldBeGreaterThan((int)(100 * (away.TotalSeconds / 2 - 1) * 0.5));
        operations.Scripts.ShouldBeLessThan(500 + (long)(400 * Math.Max(0, served.TotalSeconds - 1)));    // four gateways ask on, for each bucket of each plan
    }
}

/// <summary>Counts calls that were surely admitted within one window: each was at some moment between its two stamps.</summary>
internal static class Windows
{
    public static int Most(IEnumerable<(long From, long To)> admitted, TimeSpan window)
    {
        var calls = admitted.OrderBy(call => call.From).ToArray();
        var width = (long)(window.TotalSeconds * Stopwatch.Frequency);
        return calls.Length == 0 ? 0 : calls.Max(first => calls.Count(call => call.From >= first.From && call.To < first.From + width));
    }
}
