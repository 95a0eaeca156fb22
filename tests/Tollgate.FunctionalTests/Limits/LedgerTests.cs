using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Plans;
using Tollgate.ServiceDefaults.Redis;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Limits;

/// <summary>One suite for both ledgers: memory, and a real Redis server.</summary>
public sealed class LedgerTests
{
    public static TheoryData<string> Both => ["memory", "redis"];

    [Theory, MemberData(nameof(Both))]
    public async Task A_sequential_caller_gets_exactly_what_the_plan_says_and_then_429(string kind)
    {
        await using var cluster = await Cluster.StartAsync(kind, 1);
        var plan = Plan(new RateLimit("minute", 10, 60_000), new Quota("month", 100_000, QuotaPeriod.Month, true, 0));
        for (var i = 0; i < 10; i++)
            (await cluster.CallPatientlyAsync(0, plan)).IsGranted.ShouldBeTrue($"call {i + 1}");
        for (var i = 0; i < 5; i++)
        {
            var refused = await cluster.CallPatientlyAsync(0, plan);
            refused.Refusal.ShouldBe(Refusal.RateLimited);
            refused.RetryAfterSeconds.ShouldBeInRange(1, 62);
        }
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Calls_that_alternate_between_two_nodes_get_exactly_what_the_plan_says(string kind)
    {
        await using var cluster = await Cluster.StartAsync(kind, 2);
        var plans = Copies(2, new RateLimit("hour", 20, 3_600_000));
        var admitted = 0;
        await Deadline.UntilAsync("all that is allowed was used", async () =>
        {
            for (var i = 0; i < 30; i++)
            {
                if ((await cluster.CallAsync(i % 2, plans[i % 2])).IsGranted)
                    admitted++;
            }
            cluster.Tidy();
            return admitted >= 20;
        });
        for (var i = 0; i < 20; i++)
            (await cluster.CallAsync(i % 2, plans[i % 2])).IsGranted.ShouldBeFalse();
        admitted.ShouldBe(20);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Concurrent_callers_on_four_nodes_never_get_more_than_the_limit(string kind)
    {
        await using var cluster = await Cluster.StartAsync(kind, 4);
        var plans = Copies(4, new RateLimit("hour", 1000, 3_600_000), new Quota("month", 5000, QuotaPeriod.Month, true, 0));
        var admitted = 0;
        await Task.WhenAll(Enumerable.Range(0, 200).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            for (var i = 0; i < 50; i++)
            {
                var dice = random.Next(100);
                var node = dice < 70 ? 0 : dice < 90 ? 1 : dice < 98 ? 2 : 3;
                if ((await cluster.CallAsync(node, plans[node])).IsGranted)
                    Interlocked.Increment(ref admitted);
            }
        })));
        await Deadline.UntilAsync("most of it is used", async () =>
        {
            for (var node = 0; node < 4 && admitted <= 900; node++)    // a busy machine refuses some that waited too long
            {
                if ((await cluster.CallPatientlyAsync(node, plans[node])).IsGranted)
                    admitted++;
            }

            cluster.Tidy();
            return admitted > 900;
        });
        admitted.ShouldBeLessThanOrEqualTo(1000);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task In_no_interval_of_the_windows_length_is_more_than_the_limit_admitted(string kind)
    {
        await using var cluster = await Cluster.StartAsync(kind, 3);
        const int windowMs = 400;
        const int limit = 30;
        var plans = Copies(3, new RateLimit("window", limit, windowMs));
        var admitted = new System.Collections.Concurrent.ConcurrentBag<(long Earliest, long Latest)>();
        var until = Stopwatch.GetTimestamp() + (Stopwatch.Frequency * 2);
        await Task.WhenAll(Enumerable.Range(0, 6).Select(worker => Task.Run(async () =>
        {
            var random = new Random(worker);
            while (Stopwatch.GetTimestamp() < until || (admitted.Count <= limit && Stopwatch.GetTimestamp() < until + (Stopwatch.Frequency * 60)))
            {
                var node = random.Next(3);
                var before = Stopwatch.GetTimestamp();
                if ((await cluster.CallAsync(node, plans[node])).IsGranted)
                    admitted.Add((before, Stopwatch.GetTimestamp()));
                await Task.Delay(random.Next(3));
            }
        })));

        // A call was admitted at some moment between its two stamps: only what surely lies within one window counts.
        var calls = admitted.OrderBy(call => call.Latest).ToArray();
        var window = windowMs * Stopwatch.Frequency / 1000;
        foreach (var first in calls)
        {
            var within = calls.Count(call => call.Earliest >= first.Earliest && call.Latest < first.Earliest + window);
            within.ShouldBeLessThanOrEqualTo(limit);
        }
        calls.Length.ShouldBeGreaterThan(limit);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task A_hard_quota_is_used_to_the_last_unit_and_not_beyond(string kind)
    {
        await using var cluster = await Cluster.StartAsync(kind, 3);
        var plans = Copies(3, new Quota("month", 200, QuotaPeriod.Month, true, 0));
        var admitted = 0;
        await Deadline.UntilAsync("the quota is used up", async () =>
        {
            for (var i = 0; i < 50; i++)
            {
                if ((await cluster.CallAsync(i % 3, plans[i % 3])).IsGranted)
                    admitted++;
            }
            cluster.Tidy();
            return admitted >= 200;
        });
        admitted.ShouldBe(200);
        (await cluster.CallPatientlyAsync(0, plans[0])).Refusal.ShouldBe(Refusal.QuotaExceeded);
    }

    [Theory, MemberData(nameof(Both))]
    public async Task Who_waits_as_long_as_told_gets_in(string kind)
    {
        await using var cluster = await Cluster.StartAsync(kind, 1);
        var plan = Plan(new RateLimit("window", 3, 700));
        for (var round = 0; round < 3; round++)
        {
            Verdict verdict;
            do
                verdict = await cluster.CallPatientlyAsync(0, plan);
            while (verdict.IsGranted);
            verdict.RetryAfterSeconds.ShouldBeInRange(1, 2);    // rounded up, and later by what the answer took
            await Sleep.ExactlyAsync(TimeSpan.FromSeconds(verdict.RetryAfterSeconds));
            (await cluster.CallPatientlyAsync(0, plan)).IsGranted.ShouldBeTrue();
        }
    }

    [Theory, MemberData(nameof(Both))]
    public async Task What_is_returned_is_counted_once_and_what_is_owed_is_counted_at_all(string kind)
    {
        await using var cluster = await Cluster.StartAsync(kind, 1);
        var ledger = cluster.Ledgers[0];
        var key = $"tg:{{{Guid.NewGuid()}}}:w:raw:3600000";
        var first = await ledger.AskWindowAsync(key, 10, 3_600_000, new LedgerAsk(1, 6, 1, 0, 0, 0));
        (first.Outcome, first.Units, first.Room).ShouldBe((LedgerOutcome.Granted, 6, 4));
        var second = await ledger.AskWindowAsync(key, 10, 3_600_000, new LedgerAsk(0, 0, 1, 4, first.Bucket, 0));
        (second.Units, second.Room).ShouldBe((0, 8));
        var other = await ledger.AskWindowAsync(key, 10, 3_600_000, new LedgerAsk(0, 0, 1, 4, first.Bucket - 100, 0));
        other.Room.ShouldBe(8);
        var owed = await ledger.AskWindowAsync(key, 10, 3_600_000, new LedgerAsk(2, 2, 1, 0, 0, 7));
        owed.Outcome.ShouldBe(LedgerOutcome.Refused);
        owed.Room.ShouldBe(1);
        owed.RetryUs.ShouldBeInRange(1, 3_660_000_000);
        (await ledger.AskWindowAsync(key, 10, 3_600_000, new LedgerAsk(1, 5, 4, 0, 0, 0))).Units.ShouldBe(1);
    }

    private static Entitlement Plan(params object[] limits) => Copies(1, limits)[0];

    /// <summary>The same subscription, as each node knows it.</summary>
    private static Entitlement[] Copies(int nodes, params object[] limits)
    {
        var item = new EntitlementItem(SubscriptionId.New(), AppId.New(), "weather", "gold", PlanVersionId.New(), EntitlementState.Active, LedgerLoss.FairShare,
            [.. limits.OfType<RateLimit>()], [.. limits.OfType<Quota>()]);
        return Enumerable.Range(0, nodes).Select(_ => new Entitlement { Item = item }).ToArray();
    }
}
