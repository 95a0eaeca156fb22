using System.Net.Sockets;
using System.Text;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Policy.Plans;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Limits;

/// <summary>A Redis that forgets its scripts, or everything, in the middle of load: no call is refused that the plan allows, none admitted that it does not.</summary>
public sealed class ForgottenScriptsTests
{
    private const int Nodes = 3;

    [Fact]
    public async Task While_scripts_are_flushed_again_and_again_a_limit_and_a_quota_are_used_to_the_last_call_and_not_beyond()
    {
        await using var server = await RedisServer.StartAsync();
        await using var cluster = await Cluster.StartAsync("redis", Nodes, server);
        var flushes = 0;
        foreach (var plan in new[] { Plan(new RateLimit("hour", 3000, 3_600_000)), Plan(new Quota("month", 3000, QuotaPeriod.Month, true, 0)) })
        {
            using var stop = new CancellationTokenSource();
            var flushing = Task.Run(async () =>
            {
                for (; !stop.IsCancellationRequested; flushes++)
                    (await AskAsync(server, "SCRIPT FLUSH")).ShouldStartWith("+OK");
            });
            var admitted = 0;
            await Task.WhenAll(Enumerable.Range(0, 12).Select(caller => Task.Run(async () =>
            {
                while (Volatile.Read(ref admitted) < 2900)
                {
                    (await cluster.CallPatientlyAsync(caller % Nodes, plan)).IsGranted.ShouldBeTrue($"after {admitted} of 3000");
                    if (Interlocked.Increment(ref admitted) % 20 == 0)
                        await Task.Delay(1);    // others get their turn
                }
            })));
            await Deadline.UntilAsync("the last call is admitted", async () =>
            {
                for (var node = 0; node < Nodes; node++)
                {
                    while ((await cluster.CallPatientlyAsync(node, plan)).IsGranted)
                        admitted++;
                }
                cluster.Tidy();    // what lies idle on the others comes back
                return admitted >= 3000;
            });
            await stop.CancelAsync();
            await flushing;
            admitted.ShouldBe(3000);
        }

        flushes.ShouldBeGreaterThan(1);
        Stat(await AskAsync(server, "INFO commandstats"), "cmdstat_eval:").ShouldBeGreaterThan(1, "otherwise no script was ever sent again");
    }

    [Fact]
    public async Task A_Redis_that_dies_under_load_and_comes_back_empty_makes_no_call_refused_meanwhile_and_none_admitted_beyond_the_limit()
    {
        await using var server = await RedisServer.StartAsync();
        await using var cluster = await Cluster.StartAsync("redis", Nodes, server);
        var plan = Plan(new RateLimit("hour", 9000, 3_600_000));
        var (admitted, refusedWithout, isBack) = (0, 0, false);
        var isAway = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var callers = Enumerable.Range(0, Nodes).Select(node => Task.Run(async () =>
        {
            for (var calls = 0; calls < 1500; calls++)    // half of each node's share
            {
                if (calls == 700) await isAway.Task;    // the rest is for when it is gone, however late that is
                if ((await cluster.CallPatientlyAsync(node, plan)).IsGranted)
                    Interlocked.Increment(ref admitted);
                else if (!Volatile.Read(ref isBack))
                    Interlocked.Increment(ref refusedWithout);
                if (calls % 5 == 0)
                    await Task.Delay(1);
            }
        })).ToArray();
        await Deadline.UntilAsync("calls are admitted", () => Task.FromResult(Volatile.Read(ref admitted) > 300));
        await server.KillAsync();
        await Deadline.UntilAsync("the loss is noticed", () => Task.FromResult(cluster.Ledgers.All(ledger => ledger.IsAway)));
        var before = Volatile.Read(ref admitted);
        isAway.SetResult();
        await Deadline.UntilAsync("calls are admitted without it", () => Task.FromResult(Volatile.Read(ref admitted) > before + 100));
        Volatile.Write(ref isBack, true);
        await server.StartServerAsync();
        await Task.WhenAll(callers);
        refusedWithout.ShouldBe(0);
        await Deadline.UntilAsync("the ledger is back", () => Task.FromResult(cluster.Ledgers.All(ledger => !ledger.IsAway)));

        // What was spent before and meanwhile is known to the new one: together it is no more than the plan allows.
        for (var node = 0; node < Nodes; node++)
        {
            while ((await cluster.CallPatientlyAsync(node, plan)).IsGranted)
                admitted++;
        }
        admitted.ShouldBeLessThanOrEqualTo(9000);
    }

    private static Entitlement Plan(params object[] limits) => new()
    {
        Item = new EntitlementItem(SubscriptionId.New(), AppId.New(), "weather", "gold", PlanVersionId.New(), EntitlementState.Active, LedgerLoss.FairShare,
            [.. limits.OfType<RateLimit>()], [.. limits.OfType<Quota>()]),
    };

    private static async Task<string> AskAsync(RedisServer server, string command)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", server.Port);
        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(command + "\r\nQUIT\r\n"));
        return await new StreamReader(socket.GetStream()).ReadToEndAsync();
    }

    private static long Stat(string info, string command) =>
        info.Split('\n').Where(line => line.StartsWith(command, StringComparison.Ordinal)).Sum(line => long.Parse(line.Split("calls=")[1].Split(',')[0], System.Globalization.CultureInfo.InvariantCulture));
}
