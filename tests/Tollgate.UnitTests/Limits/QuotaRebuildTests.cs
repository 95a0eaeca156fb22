using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Metering;

namespace Tollgate.UnitTests.Limits;

/// <summary>The first calls after a start, while what was used before is looked up.</summary>
public sealed class QuotaRebuildTests
{
    [Fact]
    public async Task Until_a_quota_is_counted_again_nobody_is_told_that_it_is_used_up()
    {
        var time = new VirtualTime();
        var used = new TaskCompletionSource<QuotaUse?>();
        var ledger = new HeldLedger(new MemoryLedger(time));
        var limits = new PlanLimits(ledger, new Usage(used.Task), time);
        var plan = Some.Entitlement(Some.PerMonth(10));

        var first = limits.Decide(plan, 1, final: false, out _);
        first.PatienceMs.ShouldBe(Verdict.RebuildMs);
        used.SetResult(default(QuotaUse));
        await ledger.Asked;

        // The use is known, and the ledger has still to answer: a call that has waited enough gets the node's share.
        limits.Decide(plan, 1, final: false, out _).PatienceMs.ShouldBe(Verdict.RebuildMs);
        limits.Decide(plan, 1, final: true, out _).IsGranted.ShouldBeTrue();

        ledger.Answer();
        await first.Arrival!;
        for (var i = 0; i < 9; i++)
            limits.Decide(plan, 1, final: false, out _).IsGranted.ShouldBeTrue();
        limits.Decide(plan, 1, final: false, out _).Refusal.ShouldBe(Refusal.QuotaExceeded);
    }

    [Fact]
    public async Task A_ledger_that_takes_too_long_has_not_said_that_a_quota_is_used_up()
    {
        var time = new VirtualTime();
        var ledger = new HeldLedger(new MemoryLedger(time));
        var limits = new PlanLimits(ledger, Some.NothingUsed, time);
        var plan = Some.Entitlement(Some.PerMonth(1_000_000));
        ledger.Answer();
        limits.Decide(plan, 1, final: false, out _).IsGranted.ShouldBeTrue();

        ledger.Hold();
        Verdict verdict;
        do
            verdict = limits.Decide(plan, 1000, final: false, out _);
        while (verdict.IsGranted);
        verdict.PatienceMs.ShouldBe(Verdict.LedgerMs);
        var refused = limits.Decide(plan, 1000, final: true, out _);
        refused.Refusal.ShouldBe(Refusal.RateLimited);
        refused.RetryAfterSeconds.ShouldBe(1);

        ledger.Answer();
        await verdict.Arrival!;
        limits.Decide(plan, 1000, final: false, out _).IsGranted.ShouldBeTrue();
    }

    private sealed class Usage(Task<QuotaUse?> everywhere) : IQuotaBase
    {
        public QuotaUse Here(UsageOwner owner, long fromUnixMs, long toUnixMs) => default;

        public ValueTask<QuotaUse?> EverywhereAsync(UsageOwner owner, long fromUnixMs, long toUnixMs) => new(everywhere);
    }

    /// <summary>Answers about quotas once it is told to.</summary>
    private sealed class HeldLedger(ILedger inner) : PassingLedger(inner)
    {
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private TaskCompletionSource _answers = new();

        public Task Asked => _asked.Task;

        public void Answer() => _answers.SetResult();

        public void Hold() => _answers = new TaskCompletionSource();

        public override async ValueTask<LedgerAnswer> AskQuotaAsync(string key, string node, long limit, bool hard, LedgerAsk ask)
        {
            _asked.TrySetResult();
            await _answers.Task;
            return await base.AskQuotaAsync(key, node, limit, hard, ask);
        }
    }
}
