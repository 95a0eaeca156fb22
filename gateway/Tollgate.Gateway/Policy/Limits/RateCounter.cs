using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;

namespace Tollgate.Gateway.Policy.Limits;

/// <summary>A rate limit: at most so many units in any window of its length.</summary>
internal sealed class RateCounter(ILedger ledger, MonotonicClock clock, SubscriptionId subscription, RateLimit definition)
    : Counter(ledger, clock, definition.Name, definition.Units)
{
    // Not by units: what was spent before the plan was changed was spent.
    private readonly string _key = $"tg:{{{subscription}}}:w:{definition.Name}:{definition.WindowMs}";
    private Window? _own;    // what this node spent, for its share while the ledger is away

    public RateLimit Definition { get; } = definition;
    public override bool IsQuota => false;
    protected override long BucketUs { get; } = Window.BucketMs(definition.WindowMs) * 1000;

    protected override ValueTask<LedgerAnswer> AskAsync(LedgerAsk ask) => Ledger.AskWindowAsync(_key, Limit, Definition.WindowMs, ask);

    // Two machines' clocks drift apart while the caller waits: 100 ppm is far more than crystals do.
    protected override long RetryUs(in LedgerAnswer answer) => Ledger.IsShared ? answer.RetryUs + (answer.RetryUs / 10_000) : answer.RetryUs;

    protected override long LifeUs(in LedgerAnswer answer) => answer.BucketLeftUs;

    protected override bool TrySpendShare(long units, long nowUs, out long retryUs)
    {
        var share = Math.Max(1, Limit / Ledger.Nodes);
        var answer = Own.Ask(nowUs, share, new LedgerAsk(units, units, 1, 0, 0, 0));
        retryUs = answer.RetryUs;
        return answer.Outcome == LedgerOutcome.Granted;
    }

    protected override void UndoShare(long units, long nowUs) => Own.Count(-units, nowUs);

    protected override void NoteSpent(long units, long nowUs)
    {
        if (Ledger.IsShared)
            Own.Count(units, nowUs);
    }

    public override long ResetSeconds(long nowUs) =>
        IsRefusing(1, nowUs, out var retryUs) ? CeilingSeconds(retryUs) : CeilingSeconds(Math.Clamp(FreeAtUs - nowUs, 1, Definition.WindowMs * 1000));

    public static long CeilingSeconds(long us) => Math.Max(1, (us + 999_999) / 1_000_000);

    private Window Own => _own ??= new Window(Definition.WindowMs);
}
