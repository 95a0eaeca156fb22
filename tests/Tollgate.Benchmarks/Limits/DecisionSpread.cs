using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Consumers;
using Tollgate.Gateway.Policy.Credentials;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Plans;
using Tollgate.ServiceDefaults.Redis;

namespace Tollgate.Benchmarks.Limits;

/// <summary>
/// How long single decisions take, not their average alone: key among 100,000, plan, two limits, each decision timed by itself. With the address of a Redis server
/// the limits are leased from it, and a decision that waits for a lease is timed until it is granted.
/// </summary>
internal static class DecisionSpread
{
    private const int Decisions = 3_000_000;
    private const int Keys = 100_000;

    public static async Task<int> RunAsync(string? redis)
    {
        var connection = redis is null ? null : RedisConnection.Start(redis, NullLogger<RedisConnection>.Instance);
        ILedger ledger = connection is null ? new MemoryLedger(TimeProvider.System) : new RedisLedger(connection, NullLogger<RedisLedger>.Instance);
        var limits = new PlanLimits(ledger, new JournalQuotaBase(null), TimeProvider.System);
        var (credentials, entitlements, key) = Load();

        var took = new long[Decisions];
        var waited = 0;
        var allocated = 0L;
        for (var round = 0; round < 2; round++)    // the first is the warm-up
        {
            waited = 0;
            allocated = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < Decisions; i++)
            {
                var started = Stopwatch.GetTimestamp();
                if (!credentials.TryFindKey(key, out var credential) || !entitlements.TryGet(credential.Application.Id, "weather", out var plan)) return 1;
                if (!limits.Decide(plan, 1, false, out _).IsGranted)
                {
                    waited++;
                    while (!limits.Decide(plan, 1, false, out _).IsGranted) Thread.SpinWait(20);
                }

                took[i] = Stopwatch.GetTimestamp() - started;
            }

            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        }

        Array.Sort(took);
        var ns = 1e9 / Stopwatch.Frequency;
        Console.WriteLine($"ledger {(redis is null ? "memory" : "Redis")}: {Decisions:N0} decisions, mean {took.Average() * ns:0} ns, median {took[Decisions / 2] * ns:0} ns, " +
            $"99 % {took[Decisions / 100 * 99] * ns:0} ns, 99.9 % {took[Decisions / 1000 * 999] * ns:0} ns, worst {took[^1] * ns / 1000:0} µs; " +
            $"{allocated / (double)Decisions:0.00} B a decision; {waited} waited for a lease");
        if (connection is not null) await connection.DisposeAsync();
        return 0;
    }

    private static (CredentialTable Credentials, EntitlementTable Entitlements, string Key) Load()
    {
        var (credentials, entitlements) = (new CredentialTable(), new EntitlementTable());
        var app = new ApplicationItem(AppId.New(), OrganisationId.New(), "app", "acme", false);
        var keys = credentials.Begin(snapshot: true);
        keys.Add(app);
        var key = "";
        for (var i = 0; i < Keys; i++)
        {
            key = ApiKeyFormat.Generate(false);
            keys.Add(new KeyItem(ApiKeyId.New(), ApiKeyFormat.Sha256Hex(key), app.Id, ApiKeyFormat.Prefix(key)));
        }

        keys.Commit();
        var plans = entitlements.Begin(snapshot: true);
        plans.Add(new EntitlementItem(SubscriptionId.New(), app.Id, "weather", "gold", PlanVersionId.New(), EntitlementState.Active, LedgerLoss.FairShare,
            [new RateLimit("second", 1_000_000_000, 1000), new RateLimit("minute", 60_000_000_000, 60_000)], []));
        plans.Commit();
        return (credentials, entitlements, key);
    }
}
