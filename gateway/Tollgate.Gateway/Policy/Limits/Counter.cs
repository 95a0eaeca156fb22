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
    private const long HoldUs = 250_000;
    private const long FreshUs = 200_000;
    private const long RefreshUs = 1_000_000;
    private const long ManyPerSecond = 500;
    private const long FewUnits = 256;
    private const long PromisedUs = (Verdict.LedgerMs + Verdict.StepMs) * 1000L;

    private readonly Lock _gate = new();
    private readonly Appetite _appetite;
    private readonly long _floor;
    private readonly long _hold;
    private readonly long _paceUs;
    private Lease? _lease;
    private Lease? _promise;    // what was granted to calls that wait: theirs, however long it takes them to come for it
    private Denial? _denial;
    private Task? _inFlight;
    private Returns _returns;
    private long _promisedUnixMs;
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
        _hold = Math.Clamp(HoldUs / bucketUs, 1, Window.MostHold);

        // Where much is allowed a second, a round trip must be worth many calls: nodes ask less often, and for more.
        var many = ledger.IsShared && unitsPerSecond >= ManyPerSecond;
        _appetite = new Appetite(limit, many ? bucketUs * _hold : bucketUs, unitsPerSecond, ledger.IsShared);
        _floor = many ? unitsPerSecond / 20 : 1;
        _paceUs = many ? 200_000 : 0;
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
    public async ValueTask<bool> ResetAsync()
    {
        if (!await ResetInLedgerAsync().ConfigureAwait(false))
            return false;
        lock (_gate)
        {
            _denial = null;
            Volatile.Write(ref _room, long.MinValue);
        }
        return true;
    }

    protected abstract ValueTask<bool> ResetInLedgerAsync();

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
        Covers(Volatile.Read(ref _lease), units, nowUs) || (arrivedUnixMs <= Volatile.Read(ref _promisedUnixMs) && Covers(Volatile.Read(ref _promise), units, nowUs));

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
        if (!Ledger.IsShared || Limit > FewUnits || Volatile.Read(ref _lease) is not { Left: > 0 })
            return;
        lock (_gate)
        {
            if (_inFlight is not null)
                return;
            CloseLease();
            if (_returns.Units > 0)
                Ask(0, nowUs, out _, out _);
        }
    }

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
        var lease = Volatile.Read(ref _lease);
        var inHand = lease is not null && nowUs < lease.DiesAtUs ? lease.Left : 0;    // what is promised is somebody else's
        return Math.Clamp(inHand + (RoomIsKnown(nowUs) && !IsRefusing(1, nowUs, out _) ? Math.Max(0, RoomKnown) / Ledger.Nodes : 0), 0, Limit);
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
            CloseLease();
            if (_promise is { } promise)
                ClosePromise(promise);
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
        var lease = Volatile.Read(ref _lease);
        if (lease is not null && lease.Bucket == bucket && lease.TryAdd(units))
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
            var lease = _lease;
            if (_promise is { } promise && (retire || nowUs >= promise.DiesAtUs))
                ClosePromise(promise);
            if (lease is not null)
            {
                var left = lease.Left;
                var idle = left > 0 && left == _leftAtLastTidy;
                _spentSinceTidy |= left != _leftAtLastTidy;
                _leftAtLastTidy = left;
                if (retire || nowUs >= lease.DiesAtUs || idle)
                    CloseLease();
            }
            var isStale = _spentSinceTidy && Ledger.IsShared && Ledger.Nodes > 1 && nowUs - AnsweredAtUs > RefreshUs;
            _spentSinceTidy = false;
            if ((_returns.Units > 0 || Volatile.Read(ref _debt) > 0 || isStale) && !Ledger.IsAway)
                Ask(0, nowUs, out _, out _);
        }
    }

    public CounterFacts Facts(long nowUs)
    {
        var lease = Volatile.Read(ref _lease);
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
        _lease?.Close();
        _lease = null;
        _promise?.Close();
        _promise = null;
        _denial = null;
        _returns.Clear();
        _debt = 0;
        _appetite.Forget();
        Volatile.Write(ref _room, long.MinValue);
    }

    /// <summary>Units that this node grants itself, and tells. The caller holds the gate.</summary>
    protected void PutOwnLocked(long bucket, long units, long diesAtUs)
    {
        _appetite.Granted(units);
        Put(bucket, units, diesAtUs);
    }

    /// <summary>What is owed, to be told otherwise.</summary>
    protected long TakeDebt() => Interlocked.Exchange(ref _debt, 0);

    /// <summary>The caller holds the gate.</summary>
    protected long NoteSpentLocked(long nowUs, out long elapsedUs)
    {
        var spent = _appetite.Spent((_lease?.Left ?? 0) + (_promise?.Left ?? 0), nowUs, out elapsedUs);
        if (spent > 0)
            NoteSpent(spent, nowUs);
        return spent;
    }

    private bool TrySpend(long units, long nowUs, long arrivedUnixMs, out long bucket)
    {
        var lease = Volatile.Read(ref _lease);
        if (lease is null || nowUs >= lease.DiesAtUs || !lease.TrySpend(units, out var left))
        {
            var promise = Volatile.Read(ref _promise);
            bucket = promise?.Bucket ?? 0;
            return promise is not null && nowUs < promise.DiesAtUs && arrivedUnixMs <= Volatile.Read(ref _promisedUnixMs) && promise.TrySpend(units, out _);
        }
        bucket = lease.Bucket;
        if (left < lease.LowMark)
            AskAhead(lease, nowUs);
        return true;
    }

    private void AskAhead(Lease lease, long nowUs)
    {
        lease.LowMark = -1;
        if (Ledger.IsAway || IsRefusing(1, nowUs, out _) || !_gate.TryEnter())
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
        if (_lease is { } lease && nowUs >= lease.DiesAtUs)
            CloseLease();
        if (units > 0 && !onlyLooks)
        {
            var spent = NoteSpentLocked(nowUs, out var elapsedUs);
            _appetite.Fit(spent, elapsedUs);
            _spentSinceTidy = true;
        }

        var nodes = Ledger.Nodes;
        var ask = new LedgerAsk(
            units,
            units == 0 ? 0 : Math.Max(ForCallers(units), _appetite.Slice),
            nodes == 1 ? 1 : 2 * nodes,
            _returns.Units,
            _returns.Bucket,
            Math.Max(0, Interlocked.Exchange(ref _debt, 0)),
            onlyLooks ? LedgerAsk.OnlyLooks : _floor,
            Ledger.IsShared ? _hold : 1);
        _returns.Clear();    // at most once: if the answer is lost they are lost, never doubled
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
                        Promise(answer.Bucket, promised, nowUs + PromisedUs);
                    Put(answer.Bucket, answer.Units - taken - promised, askedAtUs + LifeUs(answer));
                }
                if (Ledger.IsShared && Refuses)
                {
                    if (answer.Room <= 0)
                        Deny(answer, 1, nowUs);    // known without asking: when this lease is spent, that was all
                    else if (ask.Need > 0 && _paceUs > 0 && Ledger.Nodes > 1 && answer.Room < _floor * Ledger.Nodes)
                        Volatile.Write(ref _denial, new Denial(1, nowUs + _paceUs, nowUs + _paceUs));    // too little for a round trip of each node
                }
                return Spend.Granted;

            case LedgerOutcome.Refused:
                Note(answer, nowUs);
                Deny(answer, ask.Need, nowUs);
                return Spend.Refused;

            default:
                if (KeepsUnanswered)
                    _returns.Add(ask.Returned, ask.ReturnedTo);
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
        if (Ledger.IsShared)    // other nodes may return what they do not spend
        {
            var paceUs = Ledger.Nodes > 1 ? _paceUs : 0;
            retryUs = Math.Max(retryUs, paceUs);
            askAgainUs = Math.Min(retryUs, Math.Clamp(answer.BucketLeftUs, Math.Max(paceUs, AskAgainAtLeastUs), AskAgainAtMostUs));
        }
        Volatile.Write(ref _denial, new Denial(units, nowUs + askAgainUs, nowUs + retryUs));
    }

    /// <summary>Calls that waited were admitted when the answer came; a busy machine lets them run when their bucket may have ended.</summary>
    private void Promise(long bucket, long units, long untilUs)
    {
        Volatile.Write(ref _promisedUnixMs, Clock.UnixMs);
        if (_promise is { } held)
        {
            if (held.Bucket == bucket && held.TryAdd(units))
            {
                held.Extend(untilUs);
                return;
            }
            ClosePromise(held);
        }
        Volatile.Write(ref _promise, new Lease(bucket, units, untilUs));
    }

    private void ClosePromise(Lease promise)
    {
        _promise = null;
        var left = promise.Close();
        _appetite.GaveBack(left);
        _returns.Add(left, promise.Bucket);
    }

    private static bool Covers(Lease? lease, long units, long nowUs) => lease is not null && nowUs < lease.DiesAtUs && lease.Left >= units;

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
        _appetite.GaveBack(left);
        _returns.Add(left, lease.Bucket);
    }

    private void GiveBackLocked(long units, long bucket)
    {
        if (_lease is { } lease && lease.Bucket == bucket && lease.TryAdd(units))
            return;
        _appetite.GaveBack(units);
        _returns.Add(units, bucket);
        _denial = null;    // there is room again
    }
}
