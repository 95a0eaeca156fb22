using Tollgate.Contracts.Feeds;

namespace Tollgate.Gateway.Policy.Limits;

/// <summary>A rate limit: at most so many units in any window of its length.</summary>
internal sealed class RateCounter : Counter
{
    private const long NoReserve = -1;
    private const long KnownWellUs = 3_000_000;

    private readonly long _windowMs;
    private Window? _own;    // what this node spent, for its share while the ledger is away
    private IReadOnlyList<SpentUnits> _toTell = [];
    private long _awaySinceUs = long.MinValue;
    private long _cap;
    private long _reserve = NoReserve;
    private long _reserved;    // told as if it were spent
    private long? _reservedIn;

    /// <param name="reach">Whose counter it is: a subscription, an organisation, a key; with the operations if it is not for all.</param>
    public RateCounter(ILedger ledger, MonotonicClock clock, string reach, RateLimit definition)
        : base(ledger, clock, KeyOf(reach, definition), definition.Name, definition.Units,
            Window.BucketMs(definition.WindowMs) * 1000, definition.Units * 1000 / Math.Max(1, definition.WindowMs))
    {
        Definition = definition;
        _windowMs = definition.WindowMs;
    }

    public RateLimit Definition { get; }
    public override bool IsQuota => false;
    public override bool IsShadow => Definition.Reach is { Shadow: true };
    public override bool KeepsUnanswered => false;
    protected override bool OwesShare => true;

    private Window Own => _own ??= new Window(_windowMs);

    // Not by units: what was spent before the plan was changed was spent.
    public static string KeyOf(string reach, RateLimit definition) => $"tg:{{{reach}}}:w:{definition.Name}:{definition.WindowMs}";

    public override ValueTask<LedgerAnswer> AskAsync(LedgerAsk ask) => Ledger.AskWindowAsync(LedgerKey, Limit, _windowMs, ask);

    // Two machines' clocks drift apart while the caller waits: 100 ppm is far more than crystals do.
    public override long RetryUs(in LedgerAnswer answer) => Ledger.IsShared ? answer.RetryUs + (answer.RetryUs / 10_000) : answer.RetryUs;

    public override long LifeUs(in LedgerAnswer answer) => answer.BucketLeftUs;

    /// <summary>
    /// The limit divided by the nodes; but until what was spent before the loss has left the window, no more than this node had spent and its part of what
    /// was left: others may have had more than their share.
    /// </summary>
    protected override bool TrySpendShare(long units, long nowUs, out long retryUs)
    {
        if (_reserve != NoReserve)
        {
            retryUs = 0;
            if (_reserve < units)
                return false;
            _reserve -= units;
            Own.Count(units, nowUs);
            return true;
        }
        var cap = CapAt(nowUs);
        var answer = Own.Ask(nowUs, cap, new LedgerAsk(units, units, 1, 0, 0, 0));
        retryUs = answer.RetryUs;
        return answer.Outcome == LedgerOutcome.Granted;
    }

    private long CapAt(long nowUs)
    {
        var share = ShareOf(Limit);
        if (_awaySinceUs == long.MinValue)
        {
            _awaySinceUs = nowUs;
            var isKnown = Word.Room != long.MinValue && nowUs - Word.AnsweredAtUs < KnownWellUs;
            var room = Math.Max(0, Word.Room - (Limit / 16));    // others may have spent some of it since
            _cap = isKnown ? Math.Min(share, Own.Spent(nowUs) + ShareOf(room)) : share;
        }
        return nowUs - _awaySinceUs < Own.EmptyAfterUs ? _cap : share;
    }

    protected override void UndoShare(long units, long nowUs)
    {
        Own.Count(-units, nowUs);
        if (_reserve != NoReserve)
            _reserve += units;
    }

    protected override void NoteSpent(long units, long nowUs)
    {
        if (Ledger.IsShared)
            Own.Count(units, nowUs);
    }

    public override void NoteAnswer()
    {
        _awaySinceUs = long.MinValue;
        _reserve = NoReserve;
    }

    public override void ReturnReserve()
    {
        if (_reservedIn is not { } bucket)
            return;
        ReturnLocked(_reserved, bucket);    // what of it was spent is owed
        _reserve = NoReserve;
        _reservedIn = null;
    }

    protected override void BeginRecount(long nowUs)
    {
        NoteSpentLocked(nowUs, out _);

        // Until all have told and the ledger grants again, this node lives on what is left of its share: told as if it were spent, and returned then.
        _reserve = Math.Max(0, CapAt(nowUs) - Own.Spent(nowUs));
        (_reserved, _reservedIn) = (_reserve, null);
        ForgetLocked();    // the lease of another ledger, and what was owed to it: that is told with the rest
        var spent = _own?.Ages(nowUs) ?? [];
        _toTell = _reserve > 0 ? [.. spent, new SpentUnits(0, _reserve)] : spent;
    }

    protected override async ValueTask<bool> TellAsync()
    {
        if (_toTell.Count == 0)
            return true;
        var bucket = await Ledger.TellWindowAsync(LedgerKey, _windowMs, _toTell).ConfigureAwait(false);
        _reservedIn = bucket;
        return bucket is not null;
    }

    protected override ValueTask<bool> ResetInLedgerAsync(Guid? order) => Ledger.ResetAsync(LedgerKey, quota: false, order);

    public override long ResetSeconds(long nowUs) =>
        IsRefusing(1, nowUs, out var retryUs) ? CeilingSeconds(retryUs) : CeilingSeconds(Math.Clamp(Word.FreeAtUs - nowUs, 1, _windowMs * 1000));

    public static long CeilingSeconds(long us) => Math.Max(1, (us + 999_999) / 1_000_000);

    private long ShareOf(long units) => (units / Ledger.Nodes) + (Ledger.Rank < units % Ledger.Nodes ? 1 : 0);
}
