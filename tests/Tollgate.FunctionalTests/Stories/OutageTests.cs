using System.Collections.Concurrent;
using System.Net;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Stories;

/// <summary>What callers and the invoice see when something dies (docs/architecture.md §11).</summary>
public sealed class OutageTests
{
    [Fact]
    public async Task A_killed_gateway_loses_no_answered_call_and_counts_none_twice()
    {
        await using var cluster = await Cluster.StartAsync(gateways: 1, shared: false);
        await cluster.AddPlanAsync("load", units: 1_000_000_000, windowMs: 1_000);
        using var person = await cluster.JoinAsync();
        var customer = await person.SubscribeAsync("load");
        await cluster.UntilKnownAsync(customer.Key);
        var gateway = cluster.Gateways[0];
        var load = new Load(gateway, customer.Key);
        load.Count(await FirstCallsAsync(cluster));

        for (var round = 0; round < 3; round++)
        {
            load.Run(callers: 8);
            await Deadline.UntilAsync("calls are answered", () => Task.FromResult(load.AnsweredInRound > 500));
            await gateway.Process.KillAsync();
            await load.StopAsync();
            await gateway.StartProcessAsync();
        }

        // A call that was cut off had either been recorded or not; nobody but the caller's lost answer could tell.
        long counted = 0;
        await Deadline.UntilAsync("everything answered is counted", async () => (counted = await FirstPaidCallTests.CountedAsync(person, customer)) >= load.Answered);
        await Deadline.UntilAsync("the journal is shipped", async () =>
        {
            var before = counted;
            counted = await FirstPaidCallTests.CountedAsync(person, customer);
            return before == counted && Directory.GetFiles(gateway.Data.File("journal/outbox")).Length == 0;
        });
        // What was cut off may be sealed and shipped last.
        await Deadline.UntilAsync("the invoice says what is counted", async () =>
            (await FirstPaidCallTests.UsageLinesAsync(person, customer)).Sum(line => line.Quantity) == (counted = await FirstPaidCallTests.CountedAsync(person, customer)));
        counted.ShouldBeInRange(load.Answered, load.Answered + load.CutOff);
    }

    [Fact]
    public async Task Without_the_database_and_control_plane_the_gateway_serves_also_after_its_own_restart_and_usage_arrives_later()
    {
        await using var cluster = await Cluster.StartAsync(gateways: 1, ownServers: true);
        await cluster.AddPlanAsync("load", units: 1_000_000, windowMs: 1_000);
        using var person = await cluster.JoinAsync();
        var customer = await person.SubscribeAsync("load");
        await cluster.UntilKnownAsync(customer.Key);
        var gateway = cluster.Gateways[0];
        var answered = await FirstCallsAsync(cluster);

        await cluster.Postgres!.StopAsync();
        for (var i = 0; i < 50; i++) answered += await OkAsync(gateway, customer.Key);

        await cluster.ControlPlane.KillAsync();
        await gateway.Process.StopAsync();
        await gateway.StartProcessAsync();
        for (var i = 0; i < 50; i++) answered += await OkAsync(gateway, customer.Key);

        await cluster.Postgres.StartServerAsync();
        await cluster.ControlPlane.StartProcessAsync();
        await FirstPaidCallTests.UntilUsageIsAsync(person, customer, answered);
    }

    [Fact]
    public async Task Without_redis_callers_below_their_share_notice_nothing_and_no_answer_is_a_5xx()
    {
        await using var cluster = await Cluster.StartAsync(ownServers: true);
        await cluster.AddPlanAsync("fair", units: 1_000_000, windowMs: 10_000);
        using var person = await cluster.JoinAsync();
        var customer = await person.SubscribeAsync("fair");
        await cluster.UntilKnownAsync(customer.Key);

        var loads = cluster.Gateways.Select(gateway => new Load(gateway, customer.Key)).ToList();
        foreach (var load in loads) load.Run(callers: 4);
        await Deadline.UntilAsync("calls are answered", () => Task.FromResult(loads.All(load => load.AnsweredInRound > 200)));
        await cluster.Redis!.KillAsync();
        var atKill = loads.Select(load => load.Answered).ToList();
        await Deadline.UntilAsync("both gateways serve on", () => Task.FromResult(loads.Zip(atKill).All(pair => pair.First.Answered > pair.Second + 500)));
        await cluster.Redis.StartServerAsync();
        var atReturn = loads.Select(load => load.Answered).ToList();
        await Deadline.UntilAsync("both gateways serve on", () => Task.FromResult(loads.Zip(atReturn).All(pair => pair.First.Answered > pair.Second + 500)));
        foreach (var load in loads) await load.StopAsync();
        loads.SelectMany(load => load.Others).ShouldBeEmpty();
        loads.Sum(load => load.CutOff).ShouldBe(0);
    }

    /// <summary>What the calls that waited for the key have cost already.</summary>
    private static Task<long> FirstCallsAsync(Cluster cluster) => Task.FromResult((long)cluster.Upstream.Seen.Count);

    private static async Task<int> OkAsync(GatewayProcess gateway, string key)
    {
        using var answer = await gateway.CallInTimeAsync("/weather/v1/x", key);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        return 1;
    }

    /// <summary>Callers that count what they were answered, and what was cut off.</summary>
    private sealed class Load(GatewayProcess gateway, string key)
    {
        private CancellationTokenSource _stop = new();
        private Task _callers = Task.CompletedTask;
        private long _answered;
        private long _cutOff;
        private long _atRoundStart;

        public long Answered => Interlocked.Read(ref _answered);
        public long CutOff => Interlocked.Read(ref _cutOff);
        public long AnsweredInRound => Answered - _atRoundStart;

        /// <summary>Statuses other than 200.</summary>
        public ConcurrentQueue<int> Others { get; } = new();

        public void Count(long calls) => Interlocked.Add(ref _answered, calls);

        public void Run(int callers)
        {
            _atRoundStart = Answered;
            _stop = new CancellationTokenSource();
            _callers = Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(CallAsync)));
        }

        public async Task StopAsync()
        {
            await _stop.CancelAsync();
            await _callers;
        }

        private async Task CallAsync()
        {
            while (!_stop.IsCancellationRequested)
            {
                try
                {
                    using var answer = await gateway.CallInTimeAsync("/weather/v1/x", key);
                    await answer.Content.ReadAsStringAsync();
                    if (answer.StatusCode == HttpStatusCode.OK) Interlocked.Increment(ref _answered);
                    else Others.Enqueue((int)answer.StatusCode);
                }
                catch (Exception failed) when (failed is HttpRequestException or IOException)
                {
                    // Cut off, or never sent: the client may have tried again on a second connection, so only the gateway could tell.
                    Interlocked.Increment(ref _cutOff);
                    return;
                }
            }
        }
    }
}
