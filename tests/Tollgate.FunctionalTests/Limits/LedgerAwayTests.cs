using System.Diagnostics;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Plans;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Limits;

public sealed class LedgerAwayTests
{
    [Fact]
    public async Task Without_Redis_a_plan_goes_on_by_its_share_closes_or_opens_as_it_says()
    {
        await using var server = await RedisServer.StartAsync();
        await using var cluster = await Cluster.StartAsync("redis", 2, server);
        var fair = Plan(LedgerLoss.FairShare, 100);
        var closed = Plan(LedgerLoss.Closed, 100);
        var open = Plan(LedgerLoss.Open, 5);
        foreach (var plan in new[] { fair, closed, open })
            (await cluster.CallPatientlyAsync(0, plan)).IsGranted.ShouldBeTrue();

        await server.KillAsync();
        await Deadline.UntilAsync("the loss is noticed", () => Task.FromResult(cluster.Ledgers[0].IsAway));

        var admitted = 1 + await CountAsync(cluster, fair, 200);
        admitted.ShouldBeInRange(44, 51);    // half of it on one of two nodes, less what the other may have spent since it was last heard
        (await CountAsync(cluster, open, 50)).ShouldBe(50);
        await CountAsync(cluster, closed, 100);    // what was leased
        var refused = await cluster.CallAsync(0, closed);
        refused.Refusal.ShouldBe(Refusal.NotReady);
        refused.RetryAfterSeconds.ShouldBe(1);

        await server.StartServerAsync();
        await Deadline.UntilAsync("the ledger grants again", async () => (await cluster.CallAsync(0, closed)).IsGranted);
        // What was admitted without the ledger is told to it: the other node sees it, too.
        cluster.Tidy();
        await Deadline.UntilAsync("what was owed has been counted", async () =>
            (await cluster.Ledgers[1].AskWindowAsync($"tg:{{{fair.Subscription}}}:w:hour:3600000", 100, 3_600_000, default)).Room is > 0 and <= 56);
    }

    [Fact]
    public async Task A_frozen_Redis_holds_no_call_longer_than_a_call_may_wait_and_refuses_none_with_503()
    {
        await using var server = await RedisServer.StartAsync();
        await using var cluster = await Cluster.StartAsync("redis", 1, server);
        await Deadline.UntilAsync("the ledger grants", async () => (await cluster.CallAsync(0, Plan(LedgerLoss.FairShare, 100))).IsGranted);    // a first call on a busy machine may wait too long

        server.Freeze();
        // Until it counts as away, calls wait and are then refused: admitting by share could go beyond the limit.
        await Deadline.UntilAsync("the silence is noticed", async () =>
        {
            (await cluster.CallAsync(0, Plan(LedgerLoss.FairShare, 100))).Refusal.ShouldNotBe(Refusal.NotReady);
            return cluster.Ledgers[0].IsAway;
        });
        var admitted = 0;
        for (var i = 0; i < 200; i++)    // each plan is new, so each has to ask
        {
            var verdict = await cluster.CallAsync(0, Plan(LedgerLoss.FairShare, 100));
            verdict.Refusal.ShouldNotBe(Refusal.NotReady);
            if (verdict.IsGranted)
                admitted++;
        }
        admitted.ShouldBeGreaterThan(185);
        server.Thaw();
        await Deadline.UntilAsync("the ledger is back", () => Task.FromResult(!cluster.Ledgers[0].IsAway));
        await Deadline.UntilAsync("the ledger grants again", async () => (await cluster.CallAsync(0, Plan(LedgerLoss.Closed, 100))).IsGranted);
    }

    private static async Task<int> CountAsync(Cluster cluster, Entitlement plan, int calls)
    {
        var admitted = 0;
        for (var i = 0; i < calls; i++)
        {
            if ((await cluster.CallAsync(0, plan)).IsGranted)
                admitted++;
        }
        return admitted;
    }

    private static Entitlement Plan(LedgerLoss onLoss, long perHour) => new()
    {
        Item = new EntitlementItem(SubscriptionId.New(), AppId.New(), "weather", "gold", PlanVersionId.New(), EntitlementState.Active, onLoss,
            [new RateLimit("hour", perHour, 3_600_000)], []),
    };
}
