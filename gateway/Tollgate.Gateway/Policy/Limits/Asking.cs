namespace Tollgate.Gateway.Policy.Limits;

/// <summary>
/// The ask of a counter that is under way: at most one, which concurrent callers share. Makes it of what is wanted, returned, spent and owed, and settles
/// the answer into the leases in hand. The counter's gate guards it.
/// </summary>
internal sealed class Asking(Counter counter, ILedger ledger, MonotonicClock clock, Lock gate, LeasesInHand hand, Appetite appetite, LastWord word)
{
    private const long PromisedUs = (Verdict.LedgerMs + Verdict.StepMs) * 1000L;

    private Task? _underWay;
    private volatile bool _isRebuilding;
    private long _waiting;
    private long _debt;

    /// <summary>Completes with the answer; null = nothing is asked.</summary>
    public Task? UnderWay => _underWay;

    /// <summary>Units admitted without the ledger that it has not heard of.</summary>
    public long Debt => Volatile.Read(ref _debt);

    public void AddDebt(long units) => Interlocked.Add(ref _debt, units);

    public long TakeDebt() => Interlocked.Exchange(ref _debt, 0);

    /// <summary>What a call finds that has to wait for what is under way.</summary>
    public Spend Waits => _isRebuilding ? Spend.Rebuilding : Spend.Pending;

    /// <summary>What is under way is not only an answer of the ledger's: what was used before is looked up for it.</summary>
    public void NoteRebuilding() => _isRebuilding = true;

    /// <summary>A call waits for the answer, with the one that asked.</summary>
    public Task Join(long units)
    {
        _waiting += units;
        return _underWay!;
    }

    /// <summary>Nothing is asked until <see cref="Release"/>: what is told meanwhile is the whole. False = something is under way.</summary>
    public bool TryHold(Task until)
    {
        if (_underWay is not null)
            return false;
        _underWay = until;
        return true;
    }

    public void Release() => (_underWay, _isRebuilding) = (null, false);

    /// <param name="onlyLooks">Nothing is taken: how much is left is all that is asked.</param>
    public Spend Begin(long units, long nowUs, out long bucket, out Task? arrival, bool onlyLooks = false)
    {
        bucket = 0;
        arrival = null;
        if (ledger.IsAway)
            return Spend.Away;

        var ask = Make(units, nowUs, onlyLooks);
        var asking = counter.AskAsync(ask);
        if (asking.IsCompleted)
        {
            Release();
            return Settle(asking.GetAwaiter().GetResult(), ask, units, waiting: false, nowUs, clock.NowUs, out bucket);
        }

        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _underWay = arrival = done.Task;
        var waits = Waits;    // before it can end
        _ = FinishAsync(asking, ask, nowUs, done);
        return waits;
    }

    private LedgerAsk Make(long units, long nowUs, bool onlyLooks)
    {
        hand.CloseDead(nowUs);
        counter.ReturnReserve();
        if (units > 0 && !onlyLooks)
        {
            var spent = counter.NoteSpentLocked(nowUs, out var elapsedUs);
            appetite.Fit(spent, elapsedUs, word.Room);
            counter.NoteUsed();
        }

        var nodes = ledger.Nodes;
        var returns = hand.TakeReturns();    // at most once: if the answer is lost they are lost, never doubled
        var ask = new LedgerAsk(
            units,
            units == 0 ? 0 : Math.Max(ForCallers(units), appetite.Slice),
            nodes == 1 ? 1 : 2 * nodes,
            returns.Units,
            returns.Bucket,
            Math.Max(0, TakeDebt()),
            onlyLooks ? LedgerAsk.OnlyLooks : appetite.Floor,
            appetite.Hold,
            nodes > 1 && !onlyLooks && appetite.IsLarge,
            hand.TakeSpent());
        _waiting = 0;
        return ask;
    }

    /// <summary>For the asking call and those that wait with it, but no more than a node may lose: the rest wait for the next answer.</summary>
    private long ForCallers(long units) => Math.Max(units, Math.Min(units + _waiting, appetite.Most));

    private async Task FinishAsync(ValueTask<LedgerAnswer> asking, LedgerAsk ask, long askedAtUs, TaskCompletionSource done)
    {
        var answer = new LedgerAnswer(LedgerOutcome.Away);
        try
        {
            answer = await asking.ConfigureAwait(false);
        }
        finally
        {
            lock (gate)
            {
                Release();
                Settle(answer, ask, 0, waiting: true, askedAtUs, clock.NowUs, out _);
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
                if (ask.Need > 0)
                    word.Admit();
                if (answer.Units > 0)
                    Put(answer, waiting ? Math.Min(answer.Units, ask.Need + _waiting) : 0, taken, askedAtUs, nowUs);
                if (ledger.IsShared && counter.Refuses && (ask.TakesTurns ? answer.TurnUs > 0 : answer.Room <= 0))
                    Deny(answer, 1, nowUs);    // known without asking: when this lease is spent, that was all, or all until its turn
                return Spend.Granted;

            case LedgerOutcome.Refused:
                Note(answer, nowUs);
                Deny(answer, ask.Need, nowUs);
                return Spend.Refused;

            default:
                var isKept = counter.KeepsUnanswered || answer.Outcome == LedgerOutcome.Unsent;
                if (isKept)
                    hand.KeepReturns(ask.Returned, ask.ReturnedTo);
                if (isKept || (answer.Outcome == LedgerOutcome.Away && !counter.IsQuota))
                    AddDebt(ask.Debt);
                return Spend.Away;
        }
    }

    private void Put(in LedgerAnswer answer, long promised, long taken, long askedAtUs, long nowUs)
    {
        var diesAtUs = askedAtUs + counter.LifeUs(answer);
        appetite.Granted(answer.Units);
        if (promised > 0)
            hand.Promise(answer.Bucket, promised, nowUs + PromisedUs, diesAtUs);
        hand.Put(answer.Bucket, answer.Units - taken - promised, diesAtUs, ledger.IsShared);
    }

    private void Note(in LedgerAnswer answer, long nowUs)
    {
        word.Note(answer, nowUs);
        counter.NoteAnswer();
    }

    private void Deny(in LedgerAnswer answer, long units, long nowUs) =>
        word.Deny(answer, units, counter.RetryUs(answer), ledger.IsShared && !counter.IsQuota ? PromisedUs : 0, nowUs);
}
