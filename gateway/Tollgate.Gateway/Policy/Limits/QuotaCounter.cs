using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Policy.Metering;

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
    private const long TotalUnknown = -1;

    private readonly UsageOwner _owner;
    private readonly string _node;
    private readonly QuotaCalendar _calendar;
    private readonly IQuotaBase _base;
    private Period _period;
    private long _ownSpent;
    private long _cap = long.MinValue;
    private long _baseAgainAtUs = long.MinValue;

    public QuotaCounter(ILedger ledger, MonotonicClock clock, UsageOwner owner, string node, Quota definition, IQuotaBase quotaBase)
        : base(ledger, clock, KeyOf(owner, definition), definition.Name, definition.Units, long.MaxValue, 0)
    {
        Definition = definition;
        _owner = owner;
        _node = node;
        _calendar = QuotaCalendar.Of(definition);
        _base = quotaBase;
        _period = PeriodAt(clock.UnixMs);
    }

    public Quota Definition { get; }
    public override bool IsQuota => true;
    public override bool IsShadow => Definition.Shadow;

    // What the ledger has granted is known to the unit here: nothing is lost with an answer.
    public override bool KeepsUnanswered => true;
    protected override bool OwesShare => true;
    public override bool Refuses => Definition.Hard;

    public static string KeyOf(UsageOwner owner, Quota definition) => $"tg:{{{owner}}}:q:{definition.Name}";

    public override Spend Take(long units, long nowUs, long arrivedUnixMs, out long bucket, out Task? arrival)
    {
        Turn();
        if (Definition.Hard)
            return base.Take(units, nowUs, arrivedUnixMs, out bucket, out arrival);

        bucket = Owed;
        arrival = null;
        AddDebt(units);
        if (Word.Room == long.MinValue)
            base.Tidy(nowUs, retire: false);
        return Spend.Granted;
    }

    public override Task? Prepare(long units, long nowUs)
    {
        Turn();
        return Definition.Hard ? base.Prepare(units, nowUs) : null;
    }

    public override Task? Look(long units, long nowUs)
    {
        Turn();
        return Definition.Hard ? base.Look(units, nowUs) : null;
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
        var room = Word.Room;
        return room == long.MinValue ? 0 : Math.Clamp(room - Debt, 0, Limit);
    }

    public override long ResetSeconds(long nowUs) => Math.Max(1, (Volatile.Read(ref _period).Span.EndUnixMs - Clock.UnixMs + 999) / 1000);

    public override async ValueTask<LedgerAnswer> AskAsync(LedgerAsk ask)
    {
        var period = Volatile.Read(ref _period);
        var leftUs = Math.Max(0, period.Span.EndUnixMs - Clock.UnixMs) * 1000;
        var answer = new LedgerAnswer(LedgerOutcome.NeedsBase);
        for (var attempt = 0; attempt < 2 && answer.Outcome == LedgerOutcome.NeedsBase; attempt++)
        {
            if (!period.IsJoined && !await JoinAsync(period).ConfigureAwait(false))
                answer = new LedgerAnswer(LedgerOutcome.Away);
            else
                answer = await Ledger.AskQuotaAsync(period.Key, _node, Limit, Definition.Hard, ask).ConfigureAwait(false);

            if (answer.Outcome is LedgerOutcome.Granted or LedgerOutcome.Refused)
                period.Granted += answer.Units + ask.Debt - ask.Returned;
            else
                period.IsJoined = false;    // whether it was carried out is not known: the next ask begins by saying how things stand
        }
        return answer with { Bucket = period.Span.StartUnixMs, BucketLeftUs = leftUs, RetryUs = leftUs };
    }

    public override long RetryUs(in LedgerAnswer answer) => answer.RetryUs;

    public override long LifeUs(in LedgerAnswer answer) => answer.BucketLeftUs;

    /// <summary>Of what was left when the ledger was last heard, a part for each node; its share of the whole when it has never been heard.</summary>
    protected override bool TrySpendShare(long units, long nowUs, out long retryUs)
    {
        retryUs = ShareRetryUs;
        if (_cap == long.MinValue)
        {
            var share = Limit / Ledger.Nodes;
            _cap = Word.Room == long.MinValue ? share : _ownSpent + (Math.Max(0, Word.Room) / Ledger.Nodes);
        }
        if (_ownSpent + units > _cap)
            return false;
        _ownSpent += units;
        return true;
    }

    protected override void UndoShare(long units, long nowUs) => _ownSpent = Math.Max(0, _ownSpent - units);

    protected override void NoteSpent(long units, long nowUs) => _ownSpent += units;

    public override void NoteAnswer() => _cap = long.MinValue;

    // What was granted and is in hand goes on: it is told as granted, and so is what was admitted without the ledger or still may be.
    protected override void BeginRecount(long nowUs)
    {
        _period.IsJoined = false;
        if (!_period.WasJoined)
            return;
        _period.Granted += TakeDebt();
        if (_cap == long.MinValue || _cap <= _ownSpent)
            return;
        var reserve = _cap - _ownSpent;
        _cap = _ownSpent;
        _period.Granted += reserve;
        PutOwnLocked(_period.Span.StartUnixMs, reserve, nowUs + Math.Max(0, _period.Span.EndUnixMs - Clock.UnixMs) * 1000);
    }

    protected override async ValueTask<bool> TellAsync()
    {
        Turn();
        return await JoinAsync(Volatile.Read(ref _period)).ConfigureAwait(false);
    }

    protected override ValueTask<bool> ResetInLedgerAsync(Guid? order) => Ledger.ResetAsync(Volatile.Read(ref _period).Key, quota: true, order);

    /// <summary>
    /// Tells the ledger what this node has been granted, once in the life of a process what its journal holds of the time before: so a lease that died with
    /// the process goes back. Where the ledger has no counter at all, it starts at what the usage store knows.
    /// </summary>
    private async ValueTask<bool> JoinAsync(Period period)
    {
        if (Clock.NowUs < Volatile.Read(ref _baseAgainAtUs))
            return false;
        NoteRebuilding();
        var (from, to) = (period.Span.StartUnixMs, period.Span.EndUnixMs);
        var lifetimeMs = Math.Max(0, to - Clock.UnixMs) + KeepAfterEndMs;
        var use = _base.Here(_owner, from, to);
        var answer = await Ledger.JoinQuotaAsync(period.Key, _node, PartOf(period, use, TotalUnknown), lifetimeMs).ConfigureAwait(false);
        if (answer == TotalUnknown)
        {
            if (await _base.EverywhereAsync(_owner, from, to).ConfigureAwait(false) is not { } everywhere)
            {
                Volatile.Write(ref _baseAgainAtUs, Clock.NowUs + BaseAgainUs);
                return false;
            }
            answer = await Ledger.JoinQuotaAsync(period.Key, _node, PartOf(period, everywhere, everywhere.Total), lifetimeMs).ConfigureAwait(false);
        }
        if (answer is not { } granted)
            return false;
        period.Granted = granted;
        period.IsJoined = period.WasJoined = true;
        return true;
    }

    private static QuotaPart PartOf(Period period, in QuotaUse use, long total) => period.WasJoined
        ? new QuotaPart(period.Granted, use.IsWhole ? use.Shipped : Math.Max(0, period.Granted - use.Here), total, KeepsOlder: false)
        : use.IsWhole ? new QuotaPart(use.Here + use.Shipped, use.Shipped, total, KeepsOlder: false)
        : new QuotaPart(use.Here, 0, total, KeepsOlder: true);

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
            _cap = long.MinValue;
            Volatile.Write(ref _period, PeriodAt(unixMs));
        }
    }

    private Period PeriodAt(long unixMs)
    {
        var span = _calendar.At(unixMs);
        return new Period(span, $"{LedgerKey}:{span.StartUnixMs / 1000}");
    }

    /// <summary>A period and this node's part of it. One ask at a time touches it.</summary>
    private sealed class Period(QuotaSpan span, string key)
    {
        public QuotaSpan Span { get; } = span;
        public string Key { get; } = key;

        /// <summary>Granted to this node and not returned.</summary>
        public long Granted { get; set; }

        /// <summary>The ledger knows that.</summary>
        public bool IsJoined { get; set; }

        /// <summary>It has known it in the life of this process: <see cref="Granted"/> is to the unit.</summary>
        public bool WasJoined { get; set; }
    }
}
