using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Contracts;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Metering;
using Tollgate.Gateway.Policy.Plans;
using Tollgate.ServiceDefaults.Redis;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Limits;

/// <summary>Several gateways' limits over one ledger, called as an engine calls them: parked while pending, looking again every 50 ms, then decided.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    private PlanLimits[] _nodes = [];

    public ILedger[] Ledgers { get; private init; } = [];

    public static async Task<Cluster> StartAsync(string kind, int nodes, RedisServer? server = null)
    {
        ILedger[] ledgers;
        if (kind == "memory")
        {
            var memory = new MemoryLedger(TimeProvider.System, nodes);
            ledgers = Enumerable.Repeat<ILedger>(memory, nodes).ToArray();
        }
        else
        {
            server ??= await RedisServer.SharedAsync();
            var redis = Enumerable.Range(0, nodes)
                .Select(_ => new RedisLedger(RedisConnection.Start(server.ConnectionString, NullLogger<RedisConnection>.Instance), NullLogger<RedisLedger>.Instance))
                .ToArray();
            await Task.WhenAll(redis.Select(ledger => ledger.FirstAnswer.WaitAsync(Deadline.Default)));
            await Deadline.UntilAsync("the nodes know of each other", () => Task.FromResult(redis.All(ledger => ledger.Nodes >= nodes)));
            ledgers = redis;
        }
        return new Cluster { Ledgers = ledgers, _nodes = ledgers.Select((ledger, node) => Node(ledger, $"node-{node}")).ToArray() };
    }

    private static PlanLimits Node(ILedger ledger, string name)
    {
        var limits = new PlanLimits(ledger, new Unused(), TimeProvider.System, name);
        if (ledger is RedisLedger redis) redis.Recount = limits.RecountAsync;
        return limits;
    }

    public async Task<Verdict> CallAsync(int node, Entitlement plan)
    {
        var arrived = Stopwatch.GetTimestamp();
        var call = new LimitedCall(1, ArrivedUnixMs: TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
        var final = false;
        while (true)
        {
            var verdict = _nodes[node].Decide(plan, call, final, out _);
            if (verdict.Kind != VerdictKind.Pending)
                return verdict;
            await Task.WhenAny(verdict.Arrival!, Task.Delay(Verdict.StepMs));
            final = Stopwatch.GetElapsedTime(arrived).TotalMilliseconds > verdict.PatienceMs;
        }
    }

    /// <summary>One call that waits for the ledger as long as it takes: how busy the machine is decides nothing.</summary>
    public async Task<Verdict> CallPatientlyAsync(int node, Entitlement plan)
    {
        var call = new LimitedCall(1, ArrivedUnixMs: TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());    // once: what is granted to who waited is not for who came later
        while (true)
        {
            var verdict = _nodes[node].Decide(plan, call, final: false, out _);
            if (verdict.Kind != VerdictKind.Pending)
                return verdict;
            await verdict.Arrival!.WaitAsync(Deadline.Default);
        }
    }

    public void Tidy()
    {
        foreach (var node in _nodes)
            node.Tidy();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var ledger in Ledgers.OfType<RedisLedger>())
            await ledger.DisposeAsync();
    }

    private sealed class Unused : IQuotaBase
    {
        public QuotaUse Here(UsageOwner owner, long fromUnixMs, long toUnixMs) => default;

        public ValueTask<QuotaUse?> EverywhereAsync(UsageOwner owner, long fromUnixMs, long toUnixMs) => new(default(QuotaUse));
    }
}
