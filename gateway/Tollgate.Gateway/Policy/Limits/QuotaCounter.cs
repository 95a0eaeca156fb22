using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;

namespace Tollgate.Gateway.Policy.Limits;

/// <summary>
/// A quota: so many units in each period of the subscription's calendar. A hard one refuses what is beyond it. A soft one admits everything,
/// and only tells the ledger, so that all nodes know what remains.
/// </summary>
internal sealed class QuotaCounter : Counter
{
    private const long BaseAgainUs = 1_000_000;
    private const long KeepAfterEndMs = 86_400_000;
    private const long ShareRetryUs = 5_000_000;

    private readonly SubscriptionId _subscription;
    private readonly QuotaCalendar _calendar;
    private readonly IQuotaBase _base;
    private volatile bool _rebuilding;
    private Period _period;
    private long _ownSpent;
    private long _baseAgainAtUs = long.MinValue;

    public QuotaCounter(ILedger ledger, MonotonicClock clock, SubscriptionId subscription, Quota definition, IQuotaBase quotaBase)
        : base(ledger, clock, definition.Name, definition.Units)
    {
        Definition = definition;
        _subscription = subscription;
        _calendar = QuotaCalendar.Of(definition);
        _base = quotaBase;
        _period = PeriodAt(clock.UnixMs);
    }

    public Quota Definition { get; }
    public override bool IsQuota => true;
    public override bool IsRebuilding => _rebuilding;
    protected override long BucketUs => long.MaxValue;

    public override Spend Take(long units, long nowUs, out long bucket, out Task? arrival)
    {
        Turn();
        if (Definition.Hard)
            return base.Take(units, nowUs, out bucket, out arrival);

        bucket = Owed;
        arrival = null;
        AddDebt(units);
        if (RoomKnown == long.MinValue)
            base.Tidy(nowUs, retire: false);
        return Spend.Granted;
    }

    public override void Prepare(long units, long nowUs)
    {
        Turn();
        if (Definition.Hard)
            base.Prepare(units, nowUs);
    }

    public override void Tidy(long nowUs, bool retire)
    {
        Turn();
        base.Tidy(nowUs, retire);
    }

    /// <summary>Gives back what an admitted call turned out not to use, if its period still runs.</summary>
    public void Refund(long units, long spentUnixMs, long nowUs)
    {
        Turn();
        var period = Volatile.Read(ref _period);
        if (spentUnixMs >= period.Span.StartUnixMs)
            GiveBack(units, Definition.Hard ? period.Span.StartUnixMs : Owed, nowUs);
    }

    public override long Remaining(long nowUs)
    {
        if (Definition.Hard)
            return base.Remaining(nowUs);
        var room = RoomKnown;
        return room == long.MinValue ? 0 : Math.Clamp(room - Debt, 0, Limit);
    }

    public override long ResetSeconds(long nowUs) => Math.Max(1, (Volatile.Read(ref _period).Span.EndUnixMs - Clock.UnixMs + 999) / 1000);

    protected override async ValueTask<LedgerAnswer> AskAsync(LedgerAsk ask)
    {
        var period = Volatile.Read(ref _period);
        var leftUs = Math.Max(0, period.Span.EndUnixMs - Clock.UnixMs) * 1000;
        var answer = await Ledger.AskQuotaAsync(period.Key, Limit, Definition.Hard, ask).ConfigureAwait(false);
        if (answer.Outcome == LedgerOutcome.NeedsBase)
        {
            _rebuilding = true;
            try
            {
                answer = await RebuildAsync(period, ask).ConfigureAwait(false);
            }
            finally
            {
                _rebuilding = false;
            }
        }
        return answer with { Bucket = period.Span.StartUnixMs, BucketLeftUs = leftUs, RetryUs = leftUs };
    }

    protected override long RetryUs(in LedgerAnswer answer) => answer.RetryUs;

    protected override long LifeUs(in LedgerAnswer answer) => answer.BucketLeftUs;

    protected override bool TrySpendShare(long units, long nowUs, out long retryUs)
    {
        retryUs = ShareRetryUs;
        if (_ownSpent + units > Math.Max(1, Limit / Ledger.Nodes))
            return false;
        _ownSpent += units;
        return true;
    }

    protected override void UndoShare(long units, long nowUs) => _ownSpent = Math.Max(0, _ownSpent - units);

    protected override void NoteSpent(long units, long nowUs) => _ownSpent += units;

    /// <summary>The counter is gone from the ledger: it starts again at what the usage store knows. What was returned or owed is in there already.</summary>
    private async ValueTask<LedgerAnswer> RebuildAsync(Period period, LedgerAsk ask)
    {
        var away = new LedgerAnswer(LedgerOutcome.Away);
        if (Clock.NowUs < Volatile.Read(ref _baseAgainAtUs))
            return away;

        var used = await _base.UnitsSoFarAsync(_subscription, period.Span.StartUnixMs, period.Span.EndUnixMs).ConfigureAwait(false);
        if (used is not { } units)
        {
            Volatile.Write(ref _baseAgainAtUs, Clock.NowUs + BaseAgainUs);
            return away;
        }
        var lifetimeMs = Math.Max(0, period.Span.EndUnixMs - Clock.UnixMs) + KeepAfterEndMs;
        if (!await Ledger.SeedQuotaAsync(period.Key, units, lifetimeMs).ConfigureAwait(false))
            return away;

        var answer = await Ledger.AskQuotaAsync(period.Key, Limit, Definition.Hard, ask with { Returned = 0, Debt = 0 }).ConfigureAwait(false);
        return answer.Outcome == LedgerOutcome.NeedsBase ? away : answer;
    }

    private void Turn()
    {
        var unixMs = Clock.UnixMs;
        if (Volatile.Read(ref _period).Span.Contains(unixMs))
            return;
        lock (Gate)
        {
            if (_period.Span.Contains(unixMs))
                return;
            ForgetLocked();
            _ownSpent = 0;
            Volatile.Write(ref _period, PeriodAt(unixMs));
        }
    }

    private Period PeriodAt(long unixMs)
    {
        var span = _calendar.At(unixMs);
        return new Period(span, $"tg:{{{_subscription}}}:q:{Definition.Name}:{span.StartUnixMs / 1000}");
    }

    private sealed record Period(QuotaSpan Span, string Key);
}
