using BenchmarkDotNet.Attributes;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Consumers;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Credentials;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Plans;

namespace Tollgate.Benchmarks.Limits;

/// <summary>What the decision of one call costs: key among many, entitlement, two limits and a quota; and a key that nobody has.</summary>
[MemoryDiagnoser, ShortRunJob]
public class DecisionBenchmark
{
    private readonly CredentialTable _credentials = new();
    private readonly EntitlementTable _entitlements = new();
    private readonly PlanLimits _limits = new(new MemoryLedger(TimeProvider.System), new JournalQuotaBase(null), TimeProvider.System);
    private string _key = "";
    private readonly string _unknown = ApiKeyFormat.Generate(false);
    private Entitlement? _plan;

    [Params(1000, 100_000)]
    public int Keys { get; set; }

    [GlobalSetup]
    public void Load()
    {
        var app = new ApplicationItem(AppId.New(), OrganisationId.New(), "app", "acme", false);
        var credentials = _credentials.Begin(snapshot: true);
        credentials.Add(app);
        for (var i = 0; i < Keys; i++)
        {
            _key = ApiKeyFormat.Generate(false);
            credentials.Add(new KeyItem(ApiKeyId.New(), ApiKeyFormat.Sha256Hex(_key), app.Id, ApiKeyFormat.Prefix(_key)));
        }
        credentials.Commit();
        var entitlements = _entitlements.Begin(snapshot: true);
        entitlements.Add(new EntitlementItem(SubscriptionId.New(), app.Id, "weather", "gold", PlanVersionId.New(), EntitlementState.Active, LedgerLoss.FairShare,
            [new RateLimit("second", 1_000_000_000, 1000), new RateLimit("minute", 100_000_000_000, 60_000)],
            [new Quota("month", 1_000_000_000_000, QuotaPeriod.Month, true, 0)]));
        entitlements.Commit();
        _entitlements.TryGet(app.Id, "weather", out _plan);
    }

    [Benchmark]
    public bool Known_key_plan_two_limits_and_a_quota() =>
        _credentials.TryFindKey(_key, out var credential)
        && _entitlements.TryGet(credential.Application.Id, "weather", out var plan)
        && _limits.Decide(plan, 1, false, out _).IsGranted;

    [Benchmark]
    public bool Limits_alone() => _limits.Decide(_plan!, 1, false, out _).IsGranted;

    [Benchmark]
    public bool Known_key_alone() => _credentials.TryFindKey(_key, out _);

    [Benchmark]
    public bool Well_formed_key_of_nobody() => _credentials.TryFindKey(_unknown, out _);

    [Benchmark]
    public bool Malformed_key() => _credentials.TryFindKey("tg_live_0123456789ABCDEFGHIJKLMNOPQRST000000", out _);

}
