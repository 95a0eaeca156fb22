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

    private const long RefreshUs = 1_000_000;
    private const long FewUnits = 256;

    private readonly Lock _gate = new();
    private readonly Appetite _appetite;
    private readonly LeasesInHand _hand;
    private readonly LastWord _word;
    private readonly Asking _asking;
    private Idleness _idleness;

    protected Counter(ILedger ledger, MonotonicClock clock, string key, string name, long limit, long bucketUs, long unitsPerSecond)
    {
        (Ledger, Clock, LedgerKey, Name, Limit) = (ledger, clock, key, name, limit);
        _appetite = new Appetite(limit, bucketUs, unitsPerSecond, ledger.IsShared);
        _hand = new LeasesInHand(clock, _appetite, _gate, ledger.IsShared);
        _word = new LastWord(ledger, clock);
        _asking = new Asking(this, ledger, clock, _gate, _hand, _appetite, _word);
    }

    public string Name { get; }
    public long Limit { get; }

    /// <summary>What the ledger calls it; of a quota, without its period.</summary>
    public string LedgerKey { get; }

    public abstract bool IsQuota { get; }

    /// <summary>Evaluated and told, not enforced.</summary>
    public abstract bool IsShadow { get; }

    /// <summary>Whether it refuses what is beyond it.</summary>
    public virtual bool Refuses => true;

    /// <summary>How many sets of counters it is in. <see cref="CounterRegistry"/> guards it.</summary>
    public int Users { get; set; }

    protected ILedger Ledger { get; }
    protected MonotonicClock Clock { get; }
    protected Lock Gate => _gate;

    /// <summary>The time by which it counts.</summary>
    public long NowUs => Clock.NowUs;

    /// <summary>What the ledger last said.</summary>
    protected LastWord Word => _word;

    protected long Debt => _asking.Debt;

    public abstract ValueTask<LedgerAnswer> AskAsync(LedgerAsk ask);

    /// <summary>Microseconds from now until a caller refused by an ask gets in.</summary>
    public abstract long RetryUs(in LedgerAnswer answer);

    /// <summary>Microseconds for which a lease just granted lives, counted from before it was asked for.</summary>
    public abstract long LifeUs(in LedgerAnswer answer);

    /// <summary>Units that this node may admit by itself while the ledger is away, when the plan says fair share.</summary>
    protected abstract bool TrySpendShare(long units, long nowUs, out long retryUs);

    /// <summary>Whether what is admitted by share has yet to be told. The caller holds the gate.</summary>
    protected abstract bool OwesShare { get; }

    protected abstract void UndoShare(long units, long nowUs);

    /// <summary>Told what was spent since the last time, so that the node's own share is known when the ledger goes away.</summary>
    protected abstract void NoteSpent(long units, long nowUs);

    /// <summary>What was told as if it were spent, so that this node could live on it until the ledger grants again, goes back. The caller holds the gate.</summary>
    public virtual void ReturnReserve()
    {
    }

    /// <summary>The ledger is there (again). The caller holds the gate.</summary>
    public abstract void NoteAnswer();

    /// <summary>An ask was not answered: returned and owed units are kept for the next one, or given up. The caller holds the gate.</summary>
    public abstract bool KeepsUnanswered { get; }

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
                before = _asking.UnderWay;
                if (_asking.TryHold(done.Task))
                    BeginRecount(Clock.NowUs);
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
                _asking.Release();
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
            _word.Forget();
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
            if (_asking.UnderWay is null)
                return _asking.Begin(units, nowUs, out bucket, out arrival);
            arrival = _asking.Join(units);
            return _asking.Waits;
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
            if (_asking.UnderWay is null && _asking.Begin(units, nowUs, out var bucket, out _) == Spend.Granted)
                GiveBackLocked(units, bucket);
            return _asking.UnderWay;
        }
    }

    /// <summary>Asks how much is left where that is not known, and takes nothing. Answers what is under way.</summary>
    public virtual Task? Look(long units, long nowUs)
    {
        if (HasInHand(units, nowUs) || (_word.IsFresh(nowUs) && _word.Room >= units) || IsRefusing(units, nowUs, out _))
            return null;
        lock (_gate)
        {
            if (_asking.UnderWay is null)
                _asking.Begin(units, nowUs, out _, out _, onlyLooks: true);
            return _asking.UnderWay;
        }
    }

    /// <summary>A call that another limit refused gave its units back: where they are few, others should not miss them until the housekeeping comes by.</summary>
    public void ReturnSoon(long nowUs)
    {
        if (!Ledger.IsShared || Limit > FewUnits || _hand.Lease is not { Left: > 0 })
            return;
        lock (_gate)
        {
            if (_asking.UnderWay is not null)
                return;
            _hand.Close();
            if (_hand.HasReturns)
                _asking.Begin(0, nowUs, out _, out _);
        }
    }

    /// <summary>A call was refused by it.</summary>
    public void NoteRefused() => _appetite.NoteRefused();

    /// <summary>Whether, by what the ledger last said, the units have no room, and for how long.</summary>
    public bool IsRefusing(long units, long nowUs, out long retryUs) => _word.IsRefusing(units, nowUs, out retryUs);

    /// <summary>
    /// Units that will be admitted here: what is in hand, and, while the ledger's word is fresh, this node's share of what was left.
    /// </summary>
    public virtual long Remaining(long nowUs)
    {
        var (inHand, room) = (_hand.Spendable(nowUs), Math.Max(0, _word.Room));
        var isOpen = _word.IsFresh(nowUs) && !IsRefusing(1, nowUs, out _);
        if (!Ledger.IsShared || Ledger.Nodes == 1)
            return Math.Clamp(inHand + (isOpen ? room : 0), 0, Limit);

        // The next calls may come to other nodes, which cannot spend what is in hand here: only what all may have is promised.
        return Math.Clamp(Math.Min(room, inHand + (isOpen ? room / Ledger.Nodes : 0)), 0, Limit);
    }

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
                _asking.AddDebt(units);
        }
        return true;
    }

    /// <summary>Admits without counting against the limit, but remembers it for a quota: what is billed is counted.</summary>
    public void TakeUncounted(long units, out long bucket)
    {
        bucket = IsQuota ? Owed : Uncounted;
        if (IsQuota)
            _asking.AddDebt(units);
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
                    _asking.AddDebt(-units);
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
            if (_asking.UnderWay is not null)
                return;
            _hand.CloseDead(nowUs);
            if (_hand.Lease is { } lease && _idleness.IsIdle(lease))
                _hand.Close();
            if (retire)
            {
                _hand.Close();
                _hand.ClosePromise();
            }
            var isUsed = _idleness.TakeUsed();
            if (!Ledger.IsAway)
                ReturnReserve();
            if (Ledger.IsAway || (isUsed && _appetite.IsLarge && _asking.Debt == 0 && !_hand.HasLate))
                return;    // what there is to tell goes with the next ask
            var isStale = isUsed && Ledger.IsShared && Ledger.Nodes > 1 && nowUs - _word.AnsweredAtUs > RefreshUs;
            if (_hand.HasReturns || _hand.HasLate || _asking.Debt > 0 || isStale)
                _asking.Begin(0, nowUs, out _, out _);
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
            _word.Room == long.MinValue ? null : _word.Room,
            _word.AnsweredAtUs == long.MinValue ? null : (nowUs - _word.AnsweredAtUs) / 1000,
            IsRefusing(1, nowUs, out var retryUs) ? Math.Max(0, retryUs / 1000) : null,
            Debt, IsShadow, LedgerKey);
    }

    /// <summary>What was used before is being looked up, for the ask that is under way.</summary>
    protected void NoteRebuilding() => _asking.NoteRebuilding();

    protected void AddDebt(long units) => _asking.AddDebt(units);

    /// <summary>Nothing of before counts: another period has begun, or another ledger. The caller holds the gate.</summary>
    protected void ForgetLocked()
    {
        _hand.Forget();
        _word.Forget();
        _asking.TakeDebt();
        _appetite.Forget();
    }

    /// <summary>Units that this node grants itself, and tells. The caller holds the gate.</summary>
    protected void PutOwnLocked(long bucket, long units, long diesAtUs)
    {
        _appetite.Granted(units);
        _hand.Put(bucket, units, diesAtUs, asksAhead: false);
    }

    /// <summary>Units that the ledger counts in a bucket and that are not there. The caller holds the gate.</summary>
    protected void ReturnLocked(long units, long bucket) => _hand.KeepReturns(units, bucket);

    /// <summary>What is owed, to be told otherwise.</summary>
    protected long TakeDebt() => _asking.TakeDebt();

    /// <summary>Something was asked for. The caller holds the gate.</summary>
    public void NoteUsed() => _idleness.NoteUsed();

    /// <summary>The caller holds the gate.</summary>
    public long NoteSpentLocked(long nowUs, out long elapsedUs)
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
        if (_hand.HasLate && _word.IsDenial)
            _word.Admit();    // what it said of the time to wait was too early: who is refused next asks again, and tells what was late
        return true;
    }

    private void AskAhead(long nowUs)
    {
        if (Ledger.IsAway || IsRefusing(1, nowUs, out _) || !_gate.TryEnter())
            return;
        try
        {
            if (_asking.UnderWay is null && _asking.Begin(1, nowUs, out var bucket, out _) == Spend.Granted)
                GiveBackLocked(1, bucket);
        }
        finally
        {
            _gate.Exit();
        }
    }

    private void GiveBackLocked(long units, long bucket)
    {
        _hand.TakeBack(units, bucket);
        if (!_appetite.IsLarge)
            _word.Admit();    // there is room again
    }
}
