namespace Tollgate.Gateway.Policy.Limits;

/// <summary>
/// This node's side of one limit or quota of one subscription: spends the lease in hand, asks the ledger for the next, and remembers a refusal
/// until it is worth asking again. Concurrent callers share one ask. The common path is one interlocked exchange; what needs the ledger takes a short lock.
/// </summary>
internal abstract class Counter(ILedger ledger, MonotonicClock clock, string name, long limit)
{
    /// <summary>In place of a bucket: the units were admitted without the ledger and are owed to it.</summary>
    protected const long Owed = -1;

    /// <summary>In place of a bucket: the units were admitted and are counted nowhere.</summary>
    protected const long Uncounted = -2;

    private const long AskAgainAtLeastUs = 50_000;
    private const long AskAgainAtMostUs = 2_000_000;
    private const long LongestSliceUs = 250_000;

    private readonly Lock _gate = new();
    private Lease? _lease;
    private Denial? _denial;
    private Task? _inFlight;
    private long _slice = 1;
    private long _waiting;
    private long _countedFromUs;    // since when _counted was granted and (with what was left then) spent
    private long _counted;
    private long _returned;
    private long _returnedTo;
    private long _debt;
    private long _room = long.MinValue;
    private long _freeAtUs;
    private long _leftAtLastTidy;

    public string Name { get; } = name;
    public long Limit { get; } = limit;
    public abstract bool IsQuota { get; }

    /// <summary>The ledger has lost this counter, and what was used is being counted again.</summary>
    public virtual bool IsRebuilding => false;

    protected ILedger Ledger { get; } = ledger;
    protected MonotonicClock Clock { get; } = clock;
    protected Lock Gate => _gate;

    /// <summary>The time by which it counts.</summary>
    public long NowUs => Clock.NowUs;
    protected long RoomKnown => Volatile.Read(ref _room);

    /// <summary>How long a slice is meant to last.</summary>
    protected abstract long BucketUs { get; }

    protected abstract ValueTask<LedgerAnswer> AskAsync(LedgerAsk ask);

    /// <summary>Microseconds from now until a caller refused by an ask gets in.</summary>
    protected abstract long RetryUs(in LedgerAnswer answer);

    /// <summary>Microseconds for which a lease just granted lives, counted from before it was asked for.</summary>
    protected abstract long LifeUs(in LedgerAnswer answer);

    /// <summary>Units that this node may admit by itself while the ledger is away, when the plan says fair share.</summary>
    protected abstract bool TrySpendShare(long units, long nowUs, out long retryUs);

    protected abstract void UndoShare(long units, long nowUs);

    /// <summary>Told what was spent since the last time, so that the node's own share is known when the ledger goes away.</summary>
    protected abstract void NoteSpent(long units, long nowUs);

    /// <summary>Whole seconds until spent units begin to be free again.</summary>
    public abstract long ResetSeconds(long nowUs);

    /// <summary>Spends units, or says why not. <paramref name="bucket"/> is to be handed to <see cref="GiveBack"/> if the call is refused elsewhere.</summary>
    public virtual Spend Take(long units, long nowUs, out long bucket, out Task? arrival)
    {
        arrival = null;
        if (TrySpend(units, nowUs, out bucket))
            return Spend.Granted;
        if (IsRefusing(units, nowUs, out _))
            return Spend.Refused;

        lock (_gate)
        {
            if (TrySpend(units, nowUs, out bucket))
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

    /// <summary>Starts what a later <see cref="Take"/> would have to wait for, so that several counters are asked for in one round trip.</summary>
    public virtual void Prepare(long units, long nowUs)
    {
        var lease = Volatile.Read(ref _lease);
        if (lease is not null && nowUs < lease.DiesAtUs && lease.Left >= units)
            return;
        if (IsRefusing(units, nowUs, out _))
            return;
        lock (_gate)
        {
            if (_inFlight is null && Ask(units, nowUs, out var bucket, out _) == Spend.Granted)
                GiveBackLocked(units, bucket);
        }
    }

    /// <summary>Whether, by what the ledger last said, the units have no room, and for how long.</summary>
    public bool IsRefusing(long units, long nowUs, out long retryUs)
    {
        var denial = Volatile.Read(ref _denial);
        retryUs = denial is null ? 0 : denial.RetryAtUs - nowUs;
        return denial is not null && units >= denial.Units && nowUs < denial.AskAgainAtUs;
    }

    /// <summary>Units that will be admitted: what is in hand, and this node's share of what the ledger had left.</summary>
    public virtual long Remaining(long nowUs)
    {
        var lease = Volatile.Read(ref _lease);
        var inHand = lease is not null && nowUs < lease.DiesAtUs ? lease.Left : 0;
        var room = RoomKnown == long.MinValue || IsRefusing(1, nowUs, out _) ? 0 : RoomKnown / Ledger.Nodes;
        return Math.Clamp(inHand + room, 0, Limit);
    }

    /// <summary>Admits without the ledger, by this node's share. What was admitted is told to the ledger when it is back.</summary>
    public bool TakeShare(long units, long nowUs, out long bucket, out long retryUs)
    {
        bucket = Owed;
        lock (_gate)
        {
            NoteSpentLocked(nowUs);
            if (!TrySpendShare(units, nowUs, out retryUs))
                return false;
        }
        Interlocked.Add(ref _debt, units);
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
            Interlocked.Add(ref _debt, -units);
            lock (_gate)
                UndoShare(units, nowUs);
            return;
        }
        var lease = Volatile.Read(ref _lease);
        if (lease is not null && lease.Bucket == bucket && lease.TryAdd(units))
            return;
        lock (_gate)
            GiveBackLocked(units, bucket);
    }

    /// <summary>Returns what lies idle or has died, and pays what is owed. Called every second or so.</summary>
    /// <param name="retire">The counter will not be used again: return everything.</param>
    public virtual void Tidy(long nowUs, bool retire)
    {
        lock (_gate)
        {
            if (_inFlight is not null)
                return;
            var lease = _lease;
            if (lease is not null)
            {
                var left = lease.Left;
                var idle = left > 0 && left == _leftAtLastTidy;
                _leftAtLastTidy = left;
                if (retire || nowUs >= lease.DiesAtUs || idle)
                    CloseLease();
            }
            if ((_returned > 0 || Volatile.Read(ref _debt) > 0) && !Ledger.IsAway)
                Ask(0, nowUs, out _, out _);
        }
    }

    protected void AddDebt(long units) => Interlocked.Add(ref _debt, units);

    protected long Debt => Volatile.Read(ref _debt);

    /// <summary>Another period has begun: nothing of the one before counts. The caller holds the gate.</summary>
    protected void ForgetLocked()
    {
        _lease?.Close();
        _lease = null;
        _denial = null;
        _returned = 0;
        _debt = 0;
        _counted = 0;
        Volatile.Write(ref _room, long.MinValue);
    }

    private bool TrySpend(long units, long nowUs, out long bucket)
    {
        var lease = Volatile.Read(ref _lease);
        if (lease is null || nowUs >= lease.DiesAtUs || !lease.TrySpend(units, out var left))
        {
            bucket = 0;
            return false;
        }
        bucket = lease.Bucket;
        if (left < lease.LowMark)
            AskAhead(lease, nowUs);
        return true;
    }

    private void AskAhead(Lease lease, long nowUs)
    {
        lease.LowMark = -1;
        if (Ledger.IsAway || !_gate.TryEnter())
            return;
        try
        {
            if (_inFlight is null && ReferenceEquals(lease, _lease) && Ask(1, nowUs, out var bucket, out _) == Spend.Granted)
                GiveBackLocked(1, bucket);
        }
        finally
        {
            _gate.Exit();
        }
    }

    private Spend Ask(long units, long nowUs, out long bucket, out Task? arrival)
    {
        bucket = 0;
        arrival = null;
        if (Ledger.IsAway)
            return Spend.Away;

        var ask = MakeAsk(units, nowUs);
        var asking = AskAsync(ask);
        if (asking.IsCompleted)
            return Settle(asking.GetAwaiter().GetResult(), ask, units, nowUs, Clock.NowUs, out bucket);

        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _inFlight = arrival = done.Task;
        _ = FinishAsync(asking, ask, nowUs, done);
        return Spend.Pending;
    }

    private LedgerAsk MakeAsk(long units, long nowUs)
    {
        if (_lease is { } lease && nowUs >= lease.DiesAtUs)
            CloseLease();

        var spent = NoteSpentLocked(nowUs, out var elapsedUs);
        var lasting = Math.Min(BucketUs, LongestSliceUs);
        _slice = (long)Math.Clamp((double)spent * lasting / elapsedUs, 1, Math.Min(2 * _slice, Math.Max(1, Limit)));
        var nodes = Ledger.Nodes;
        var ask = new LedgerAsk(
            units,
            units == 0 ? 0 : Math.Max(Math.Max(units, _slice), _waiting),
            nodes == 1 ? 1 : 2 * nodes,
            _returned,
            _returnedTo,
            Math.Max(0, Interlocked.Exchange(ref _debt, 0)));
        _returned = 0;    // at most once: if the answer is lost they are lost, never doubled
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
                Settle(answer, ask, 0, askedAtUs, Clock.NowUs, out _);
            }
            done.SetResult();
        }
    }

    /// <param name="taken">What of the grant the asking call takes for itself at once.</param>
    private Spend Settle(in LedgerAnswer answer, in LedgerAsk ask, long taken, long askedAtUs, long nowUs, out long bucket)
    {
        bucket = answer.Bucket;
        switch (answer.Outcome)
        {
            case LedgerOutcome.Granted:
                Volatile.Write(ref _room, answer.Room);
                Volatile.Write(ref _freeAtUs, nowUs + answer.RetryUs);
                if (ask.Need > 0)
                    _denial = null;
                if (answer.Units > 0)
                {
                    _counted += answer.Units;
                    Put(answer.Bucket, answer.Units - taken, askedAtUs + LifeUs(answer));
                }
                return Spend.Granted;

            case LedgerOutcome.Refused:
                Volatile.Write(ref _room, answer.Room);
                Deny(answer, ask.Need, nowUs);
                return Spend.Refused;

            default:
                // Units admitted meanwhile stay owed: a rate limit forgets them within a window, and a quota that
                // must be rebuilt takes them from the usage store.
                if (answer.Outcome == LedgerOutcome.Away && !IsQuota)
                    Interlocked.Add(ref _debt, ask.Debt);
                return Spend.Away;
        }
    }

    private void Deny(in LedgerAnswer answer, long units, long nowUs)
    {
        var retryUs = RetryUs(answer);
        var askAgainUs = retryUs;
        if (Ledger.IsShared)    // other nodes may return what they do not spend
            askAgainUs = Math.Min(retryUs, Math.Clamp(answer.BucketLeftUs, AskAgainAtLeastUs, AskAgainAtMostUs));
        Volatile.Write(ref _denial, new Denial(units, nowUs + askAgainUs, nowUs + retryUs));
    }

    private void Put(long bucket, long units, long diesAtUs)
    {
        if (_lease is { } held)
        {
            if (held.Bucket == bucket && held.TryAdd(units))
            {
                held.Extend(diesAtUs);
                held.LowMark = LowMark(units);
                return;
            }
            CloseLease();
        }
        if (units > 0)
            Volatile.Write(ref _lease, new Lease(bucket, units, diesAtUs) { LowMark = LowMark(units) });
    }

    private long LowMark(long units) => Ledger.IsShared && units >= 8 ? units / 4 : -1;

    private void CloseLease()
    {
        if (_lease is not { } lease)
            return;
        _lease = null;
        var left = lease.Close();
        _counted -= left;
        Stash(left, lease.Bucket);
    }

    private void GiveBackLocked(long units, long bucket)
    {
        if (_lease is { } lease && lease.Bucket == bucket && lease.TryAdd(units))
            return;
        _counted -= units;
        Stash(units, bucket);
        _denial = null;    // there is room again
    }

    private void Stash(long units, long bucket)
    {
        if (units == 0 || (_returned > 0 && bucket < _returnedTo))
            return;
        _returned = (bucket == _returnedTo ? _returned : 0) + units;
        _returnedTo = bucket;
    }

    private void NoteSpentLocked(long nowUs) => NoteSpentLocked(nowUs, out _);

    private long NoteSpentLocked(long nowUs, out long elapsedUs)
    {
        var left = _lease?.Left ?? 0;
        var spent = Math.Max(0, _counted - left);
        elapsedUs = Math.Max(1, nowUs - _countedFromUs);
        _counted = left;
        _countedFromUs = nowUs;
        if (spent > 0)
            NoteSpent(spent, nowUs);
        return spent;
    }

    protected long FreeAtUs => Volatile.Read(ref _freeAtUs);

    /// <summary>A refusal, remembered.</summary>
    private sealed record Denial(long Units, long AskAgainAtUs, long RetryAtUs);
}

internal enum Spend : byte
{
    Granted,
    Refused,
    Pending,
    Away,
}
