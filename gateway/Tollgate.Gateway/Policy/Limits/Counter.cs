namespace Tollgate.Gateway.Policy.Limits;

/// <summary>
/// This node's side of one limit or quota: spends the lease in hand, asks the ledger for the next, and remembers a refusal until it is worth asking again.
/// Concurrent callers share one ask. The common path is one interlocked exchange; what needs the ledger takes a short lock.
/// </summary>
internal abstract class Counter
{
    /// <summary>In place of a bucket: the units were admitted without the ledger and are owed to it.</summary>
    protected const long Owed = -1;

    /// <summary>In place of a bucket: the units were admitted and are counted nowhere.</summary>
    public const long Uncounted = -2;

    private const long AskAgainAtLeastUs = 50_000;
    private const long AskAgainAtMostUs = 2_000_000;
    private const long FreshUs = 200_000;
    private const long RefreshUs = 1_000_000;
    private const long FewUnits = 256;
    private const long PromisedUs = (Verdict.LedgerMs + Verdict.StepMs) * 1000L;

    private readonly Lock _gate = new();
    private readonly Appetite _appetite;
    private readonly LeasesInHand _hand;
    private Denial? _denial;
    private Task? _inFlight;
    private long _waiting;
    private long _debt;
    private long _room = long.MinValue;
    private long _answeredAtUs = long.MinValue;
    private long _freeAtUs;
    private long _leftAtLastTidy;
    private bool _spentSinceTidy;

    protected Counter(ILedger ledger, MonotonicClock clock, string key, string name, long limit, long bucketUs, long unitsPerSecond)
    {
        (Ledger, Clock, LedgerKey, Name, Limit) = (ledger, clock, key, name, limit);
        _appetite = new Appetite(limit, bucketUs, unitsPerSecond, ledger.IsShared);
        _hand = new LeasesInHand(clock, _appetite, _gate, ledger.IsShared);
    }

    public string Name { get; }
    public long Limit { get; }

    /// <summary>What the ledger calls it; of a quota, without its period.</summary>
    public string LedgerKey { get; }

    public abstract bool IsQuota { get; }

    /// <summary>Evaluated and told, not enforced.</summary>
    public abstract bool IsShadow { get; }

    /// <summary>Whether it refuses what is beyond it.</summary>
    protected virtual bool Refuses => true;

    /// <summary>How many sets of counters it is in. <see cref="CounterRegistry"/> guards it.</summary>
    public int Users { get; set; }

    /// <summary>The ledger has lost this counter, and what was used is being counted again.</summary>
    public virtual bool IsRebuilding => false;

    protected ILedger Ledger { get; }
    protected MonotonicClock Clock { get; }
    protected Lock Gate => _gate;

    /// <summary>The time by which it counts.</summary>
    public long NowUs => Clock.NowUs;
    protected long RoomKnown => Volatile.Read(ref _room);
    protected long FreeAtUs => Volatile.Read(ref _freeAtUs);

    /// <summary>When the ledger last said anything; <see cref="long.MinValue"/> = never.</summary>
    protected long AnsweredAtUs => Volatile.Read(ref _answeredAtUs);

    protected long Debt => Volatile.Read(ref _debt);

    protected abstract ValueTask<LedgerAnswer> AskAsync(LedgerAsk ask);

    /// <summary>Microseconds from now until a caller refused by an ask gets in.</summary>
    protected abstract long RetryUs(in LedgerAnswer answer);

    /// <summary>Microseconds for which a lease just granted lives, counted from before it was asked for.</summary>
    protected abstract long LifeUs(in LedgerAnswer answer);

    /// <summary>Units that this node may admit by itself while the ledger is away, when the plan says fair share.</summary>
    protected abstract bool TrySpendShare(long units, long nowUs, out long retryUs);

    /// <summary>Whether what is admitted by share has yet to be told. The caller holds the gate.</summary>
    protected abstract bool OwesShare { get; }

    protected abstract void UndoShare(long units, long nowUs);

    /// <summary>Told what was spent since the last time, so that the node's own share is known when the ledger goes away.</summary>
    protected abstract void NoteSpent(long units, long nowUs);

    /// <summary>The ledger is there (again). The caller holds the gate.</summary>
    protected abstract void NoteAnswer();

    /// <summary>An ask was not answered: returned and owed units are kept for the next one, or given up. The caller holds the gate.</summary>
    protected abstract bool KeepsUnanswered { get; }

    /// <summary>Whole seconds until spent units begin to be free again.</summary>
    public abstract long ResetSeconds(long nowUs);

    /// <summary>The ledger has lost its memory, or this node has: tells it what was spent here. False = the ledger is away.</summary>
    public async ValueTask<bool> RecountAsync()
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        while (true)
        {
            Task? before;
            lock (_gate)
            {
                before = _inFlight;
                if (before is null)
                {
                    _inFlight = done.Task;    // nothing is asked meanwhile: what is told is the whole
                    BeginRecount(Clock.NowUs);
                }
            }
            if (before is null)
                break;
            await before.ConfigureAwait(false);
        }
        try
        {
            return await TellAsync().ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
                _inFlight = null;
            done.SetResult();
        }
    }

    /// <summary>The caller holds the gate.</summary>
    protected abstract void BeginRecount(long nowUs);

    protected abstract ValueTask<bool> TellAsync();

    /// <summary>Begins the counter anew in the ledger, and forgets what was known of it here.</summary>
    public async ValueTask<bool> ResetAsync(Guid? order)
    {
        if (!await ResetInLedgerAsync(order).ConfigureAwait(false))
            return false;
        lock (_gate)
        {
            if (!IsQuota)
                ForgetLocked();    // what is in hand was counted in a window that is gone
            _denial = null;
            Volatile.Write(ref _room, long.MinValue);
        }
        return true;
    }

    protected abstract ValueTask<bool> ResetInLedgerAsync(Guid? order);

    /// <summary>Spends units, or says why not. <paramref name="bucket"/> is to be handed to <see cref="GiveBack"/> if the call is refused elsewhere.</summary>
    /// <param name="arrivedUnixMs">When the call arrived: what is promised is for those that were there.</param>
    public virtual Spend Take(long units, long nowUs, long arrivedUnixMs, out long bucket, out Task? arrival)
    {
        arrival = null;
        if (TrySpend(units, nowUs, arrivedUnixMs, out bucket))
            return Spend.Granted;
        if (IsRefusing(units, nowUs, out _))
            return Spend.Refused;

        lock (_gate)
        {
            if (TrySpend(units, nowUs, arrivedUnixMs, out bucket))
                return Spend.Granted;
            if (IsRefusing(units, nowUs, out _))
                return Spend.Refused;
            if (_inFlight is not null)
            {
                _waiting += units;
                arrival = _inFlight;
                return Spend.Pending;
            }
            return Ask(units, nowUs, out bucket, out arrival);
        }
    }

    /// <summary>Whether the lease in hand covers the units.</summary>
    public bool HasInHand(long units, long nowUs, long arrivedUnixMs = long.MaxValue) =>
        _hand.Covers(units, nowUs, arrivedUnixMs);

    /// <summary>Whether units asked for in vain are not missed by others until they return.</summary>
    public bool IsAmple => !Ledger.IsShared || Limit > FewUnits;

    /// <summary>Starts what a later <see cref="Take"/> would have to wait for, so that several counters are asked for in one round trip. Answers what is under way.</summary>
    public virtual Task? Prepare(long units, long nowUs)
    {
        if (HasInHand(units, nowUs) || IsRefusing(units, nowUs, out _))
            return null;
        lock (_gate)
        {
            if (_inFlight is null && Ask(units, nowUs, out var bucket, out _) == Spend.Granted)
                GiveBackLocked(units, bucket);
            return _inFlight;
        }
    }

    /// <summary>Asks how much is left where that is not known, and takes nothing. Answers what is under way.</summary>
    public virtual Task? Look(long units, long nowUs)
    {
        if (HasInHand(units, nowUs) || (RoomIsKnown(nowUs) && RoomKnown >= units) || IsRefusing(units, nowUs, out _))
            return null;
        lock (_gate)
        {
            if (_inFlight is null)
                Ask(units, nowUs, out _, out _, onlyLooks: true);
            return _inFlight;
        }
    }

    /// <summary>A call that another limit refused gave its units back: where they are few, others should not miss them until the housekeeping comes by.</summary>
    public void ReturnSoon(long nowUs)
    {
        if (!Ledger.IsShared || Limit > FewUnits || _hand.Lease is not { Left: > 0 })
            return;
        lock (_gate)
        {
            if (_inFlight is not null)
                return;
            _hand.Close();
            if (_hand.HasReturns)
                Ask(0, nowUs, out _, out _);
        }
    }

    public void NoteRefused() => _appetite.NoteRefused();

    /// <summary>Whether, by what the ledger last said, the units have no room, and for how long.</summary>
    public bool IsRefusing(long units, long nowUs, out long retryUs)
    {
        var denial = Volatile.Read(ref _denial);
        retryUs = denial is null ? 0 : denial.RetryAtUs - nowUs;
        return denial is not null && units >= denial.Units && nowUs < denial.AskAgainAtUs;
    }

    /// <summary>
    /// Units that will be admitted here: what is in hand, and, while the ledger's word is fresh, this node's share of what was left.
    /// </summary>
    public virtual long Remaining(long nowUs)
    {
        var (inHand, room) = (_hand.Spendable(nowUs), Math.Max(0, RoomKnown));
        var isOpen = RoomIsKnown(nowUs) && !IsRefusing(1, nowUs, out _);
        if (!Ledger.IsShared || Ledger.Nodes == 1)
            return Math.Clamp(inHand + (isOpen ? room : 0), 0, Limit);

        // The next calls may come to other nodes, which cannot spend what is in hand here: only what all may have is promised.
        return Math.Clamp(Math.Min(room, inHand + (isOpen ? room / Ledger.Nodes : 0)), 0, Limit);
    }

    /// <summary>What the ledger had left, and whether nobody else can have spent it since.</summary>
    protected bool RoomIsKnown(long nowUs) =>
        RoomKnown != long.MinValue && (!Ledger.IsShared || Ledger.Nodes == 1 || nowUs - AnsweredAtUs <= FreshUs);

    /// <summary>Admits without the ledger, by this node's share. What was admitted is told to the ledger when it is back.</summary>
    public bool TakeShare(long units, long nowUs, out long bucket, out long retryUs)
    {
        bucket = Owed;
        lock (_gate)
        {
            // From here on the share counts alone: what is left of leases would come on top of it.
            _hand.Close();
            _hand.ClosePromise();
            NoteSpentLocked(nowUs, out _);
            if (!TrySpendShare(units, nowUs, out retryUs))
                return false;
            if (OwesShare)
                Interlocked.Add(ref _debt, units);
        }
        return true;
    }

    /// <summary>Admits without counting against the limit, but remembers it for a quota: what is billed is counted.</summary>
    public void TakeUncounted(long units, out long bucket)
    {
        bucket = IsQuota ? Owed : Uncounted;
        if (IsQuota)
            Interlocked.Add(ref _debt, units);
    }

    /// <summary>Undoes a spend of the same call, because another limit refused it.</summary>
    public void GiveBack(long units, long bucket, long nowUs)
    {
        if (bucket == Uncounted)
            return;
        if (bucket == Owed)
        {
            lock (_gate)
            {
                if (OwesShare)
                    Interlocked.Add(ref _debt, -units);
                UndoShare(units, nowUs);
            }
            return;
        }
        if (_hand.TryTakeBack(units, bucket))
            return;
        lock (_gate)
            GiveBackLocked(units, bucket);
    }

    /// <summary>Returns what lies idle or has died, pays what is owed, and looks what is left of a limit that is in use. Called every second or so.</summary>
    /// <param name="retire">The counter will not be used again: return everything.</param>
    public virtual void Tidy(long nowUs, bool retire)
    {
        lock (_gate)
        {
            if (_inFlight is not null)
                return;
            _hand.CloseDead(nowUs);
            if (_hand.Lease is { } lease)
            {
                var left = lease.Left;
                var idle = left > 0 && left == _leftAtLastTidy;
                _spentSinceTidy |= left != _leftAtLastTidy;
                _leftAtLastTidy = left;
                if (idle)
                    _hand.Close();
            }
            if (retire)
            {
                _hand.Close();
                _hand.ClosePromise();
            }
            var isUsed = _spentSinceTidy;
            _spentSinceTidy = false;
            if (Ledger.IsAway || (isUsed && _appetite.IsLarge && Volatile.Read(ref _debt) == 0 && !_hand.HasLate))
                return;    // what there is to tell goes with the next ask
            var isStale = isUsed && Ledger.IsShared && Ledger.Nodes > 1 && nowUs - AnsweredAtUs > RefreshUs;
            if (_hand.HasReturns || _hand.HasLate || Volatile.Read(ref _debt) > 0 || isStale)
                Ask(0, nowUs, out _, out _);
        }
    }

    public CounterFacts Facts(long nowUs)
    {
        var lease = _hand.Lease;
        var isAlive = lease is not null && nowUs < lease.DiesAtUs;
        return new CounterFacts(
            Name, IsQuota ? "quota" : "rate", Limit,
            isAlive ? lease!.Left : 0,
            isAlive ? (lease!.DiesAtUs - nowUs) / 1000 : null,
            RoomKnown == long.MinValue ? null : RoomKnown,
            AnsweredAtUs == long.MinValue ? null : (nowUs - AnsweredAtUs) / 1000,
            IsRefusing(1, nowUs, out var retryUs) ? Math.Max(0, retryUs / 1000) : null,
            Debt, IsShadow, LedgerKey);
    }

    protected void AddDebt(long units) => Interlocked.Add(ref _debt, units);

    /// <summary>Nothing of before counts: another period has begun, or another ledger. The caller holds the gate.</summary>
    protected void ForgetLocked()
    {
        _hand.Forget();
        _denial = null;
        _debt = 0;
        _appetite.Forget();
        Volatile.Write(ref _room, long.MinValue);
    }

    /// <summary>Units that this node grants itself, and tells. The caller holds the gate.</summary>
    protected void PutOwnLocked(long bucket, long units, long diesAtUs)
    {
        _appetite.Granted(units);
        _hand.Put(bucket, units, diesAtUs, asksAhead: false);
    }

    /// <summary>What is owed, to be told otherwise.</summary>
    protected long TakeDebt() => Interlocked.Exchange(ref _debt, 0);

    /// <summary>The caller holds the gate.</summary>
    protected long NoteSpentLocked(long nowUs, out long elapsedUs)
    {
        var spent = _appetite.Spent(_hand.Left, nowUs, _hand.EmptySinceUs, out elapsedUs);
        if (spent > 0)
            NoteSpent(spent, nowUs);
        return spent;
    }

    private bool TrySpend(long units, long nowUs, long arrivedUnixMs, out long bucket)
    {
        if (!_hand.TrySpend(units, nowUs, arrivedUnixMs, out bucket, out var isLow))
            return false;
        if (isLow)
            AskAhead(nowUs);
        if (_hand.HasLate && Volatile.Read(ref _denial) is not null)
            Volatile.Write(ref _denial, null);    // what it said of the time to wait was too early: who is refused next asks again, and tells what was late
        return true;
    }

    private void AskAhead(long nowUs)
    {
        if (Ledger.IsAway || IsRefusing(1, nowUs, out _) || !_gate.TryEnter())
            return;
        try
        {
            if (_inFlight is null && Ask(1, nowUs, out var bucket, out _) == Spend.Granted)
                GiveBackLocked(1, bucket);
        }
        finally
        {
            _gate.Exit();
        }
    }

    private Spend Ask(long units, long nowUs, out long bucket, out Task? arrival, bool onlyLooks = false)
    {
        bucket = 0;
        arrival = null;
        if (Ledger.IsAway)
            return Spend.Away;

        var ask = MakeAsk(units, nowUs, onlyLooks);
        var asking = AskAsync(ask);
        if (asking.IsCompleted)
            return Settle(asking.GetAwaiter().GetResult(), ask, units, waiting: false, nowUs, Clock.NowUs, out bucket);

        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _inFlight = arrival = done.Task;
        _ = FinishAsync(asking, ask, nowUs, done);
        return Spend.Pending;
    }

    /// <summary>For the asking call and those that wait with it, but no more than a node may lose: the rest wait for the next answer.</summary>
    private long ForCallers(long units) => Math.Max(units, Math.Min(units + _waiting, _appetite.Most));

    private LedgerAsk MakeAsk(long units, long nowUs, bool onlyLooks)
    {
        _hand.CloseDead(nowUs);
        if (units > 0 && !onlyLooks)
        {
            var spent = NoteSpentLocked(nowUs, out var elapsedUs);
            _appetite.Fit(spent, elapsedUs, RoomKnown);
            _spentSinceTidy = true;
        }

        var nodes = Ledger.Nodes;
        var returns = _hand.TakeReturns();    // at most once: if the answer is lost they are lost, never doubled
        var ask = new LedgerAsk(
            units,
            units == 0 ? 0 : Math.Max(ForCallers(units), _appetite.Slice),
            nodes == 1 ? 1 : 2 * nodes,
            returns.Units,
            returns.Bucket,
            Math.Max(0, Interlocked.Exchange(ref _debt, 0)),
            onlyLooks ? LedgerAsk.OnlyLooks : _appetite.Floor,
            _appetite.Hold,
            nodes > 1 && !onlyLooks && _appetite.IsLarge,
            _hand.TakeSpent());
        _waiting = 0;
        return ask;
    }

    private async Task FinishAsync(ValueTask<LedgerAnswer> asking, LedgerAsk ask, long askedAtUs, TaskCompletionSource done)
    {
        var answer = new LedgerAnswer(LedgerOutcome.Away);
        try
        {
            answer = await asking.ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
            {
                _inFlight = null;
                Settle(answer, ask, 0, waiting: true, askedAtUs, Clock.NowUs, out _);
            }
            done.SetResult();
        }
    }

    /// <param name="taken">What of the grant the asking call takes for itself at once.</param>
    /// <param name="waiting">Calls wait for the answer.</param>
    private Spend Settle(in LedgerAnswer answer, in LedgerAsk ask, long taken, bool waiting, long askedAtUs, long nowUs, out long bucket)
    {
        bucket = answer.Bucket;
        switch (answer.Outcome)
        {
            case LedgerOutcome.Granted:
                Note(answer, nowUs);
                Volatile.Write(ref _freeAtUs, nowUs + answer.RetryUs);
                if (ask.Need > 0)
                    _denial = null;
                if (answer.Units > 0)
                {
                    _appetite.Granted(answer.Units);
                    var promised = waiting ? Math.Min(answer.Units, ask.Need + _waiting) : 0;
                    if (promised > 0)
                        _hand.Promise(answer.Bucket, promised, nowUs + PromisedUs, askedAtUs + LifeUs(answer));
                    _hand.Put(answer.Bucket, answer.Units - taken - promised, askedAtUs + LifeUs(answer), Ledger.IsShared);
                }
                if (Ledger.IsShared && Refuses && (ask.TakesTurns ? answer.TurnUs > 0 : answer.Room <= 0))
                    Deny(answer, 1, nowUs);    // known without asking: when this lease is spent, that was all, or all until its turn
                return Spend.Granted;

            case LedgerOutcome.Refused:
                Note(answer, nowUs);
                Deny(answer, ask.Need, nowUs);
                return Spend.Refused;

            default:
                if (KeepsUnanswered)
                    _hand.KeepReturns(ask.Returned, ask.ReturnedTo);
                if (KeepsUnanswered || (answer.Outcome == LedgerOutcome.Away && !IsQuota))
                    Interlocked.Add(ref _debt, ask.Debt);
                return Spend.Away;
        }
    }

    private void Note(in LedgerAnswer answer, long nowUs)
    {
        Volatile.Write(ref _room, answer.Room);
        Volatile.Write(ref _answeredAtUs, nowUs);
        NoteAnswer();
    }

    private void Deny(in LedgerAnswer answer, long units, long nowUs)
    {
        var retryUs = RetryUs(answer);
        var askAgainUs = retryUs;
        if (answer.TurnUs > 0)
        {
            askAgainUs = answer.TurnUs;
            retryUs = answer.Outcome == LedgerOutcome.Granted && answer.Room > 0 ? answer.TurnUs : Math.Max(retryUs, answer.TurnUs);
        }
        else if (Ledger.IsShared)    // other nodes may return what they do not spend
            askAgainUs = Math.Min(retryUs, Math.Clamp(answer.BucketLeftUs, AskAgainAtLeastUs, AskAgainAtMostUs));
        if (Ledger.IsShared && !IsQuota && Clock.WasHeldUp)
            retryUs += PromisedUs;    // other nodes may be as busy, and have yet to tell
        Volatile.Write(ref _denial, new Denial(units, nowUs + askAgainUs, nowUs + retryUs));
    }

    private void GiveBackLocked(long units, long bucket)
    {
        _hand.TakeBack(units, bucket);
        if (!_appetite.IsLarge)
            _denial = null;    // there is room again
    }
}
