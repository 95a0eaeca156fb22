namespace Tollgate.Gateway.Policy.Limits;

/// <summary>
/// What this node holds of a counter: the lease that calls spend from, what was promised to calls that waited for it, and what of both is on its way back.
/// Spending is one interlocked exchange; everything else is done under the counter's gate.
/// </summary>
internal sealed class LeasesInHand(MonotonicClock clock, Appetite appetite, Lock gate, bool isShared)
{
    private const int MostPieces = 32;

    private Lease? _lease;
    private Lease? _promise;    // what was granted to calls that wait: theirs, however long it takes them to come for it
    private Returns _returns;
    private Returns _late;      // spent after their bucket ended
    private readonly List<(long Bucket, long Units, long ByUs)> _spent = [];    // of leases that were closed: spent before their bucket ends, and counted there
    private long _promisedUnixMs;

    /// <summary>The lease that is spent from, dead or alive.</summary>
    public Lease? Lease => Volatile.Read(ref _lease);

    public bool HasReturns => _returns.Units > 0;

    /// <summary>Units were spent after their bucket ended, and the ledger has yet to hear of it.</summary>
    public bool HasLate => _late.Units > 0 || _promise is { HasLate: true };

    /// <summary>Units held, promised ones too.</summary>
    public long Left => (_lease?.Left ?? 0) + (_promise?.Left ?? 0);

    /// <summary>Since when nothing is in hand; 0 = something is, or that is not known.</summary>
    public long EmptySinceUs => Volatile.Read(ref _lease)?.EmptySinceUs ?? 0;

    /// <param name="isLow">The next slice should be asked for.</param>
    public bool TrySpend(long units, long nowUs, long arrivedUnixMs, out long bucket, out bool isLow)
    {
        isLow = false;
        var lease = Volatile.Read(ref _lease);
        if (lease is null || nowUs >= lease.DiesAtUs || !lease.TrySpend(units, out var left))
        {
            NoteEmpty(lease);
            return TrySpendPromise(units, nowUs, arrivedUnixMs, out bucket);
        }
        if (isShared && clock.NowUs >= lease.DiesAtUs)
        {
            lease.TryAdd(units);    // this thread was held up: the bucket may have ended before the units were spent
            return TrySpendPromise(units, nowUs, arrivedUnixMs, out bucket);
        }
        bucket = lease.Bucket;
        if (left < lease.LowMark)
            isLow = PassMark(lease, left);
        return true;
    }

    /// <summary>Notes the time, or says that the next slice is to be asked for.</summary>
    private bool PassMark(Lease lease, long left)
    {
        var isLow = left < lease.AskMark;
        if (isLow)
            lease.AskMark = -1;
        if (!appetite.IsLarge)
        {
            lease.LowMark = -1;
            return isLow;
        }
        if (!gate.TryEnter())
            return isLow;
        try
        {
            lease.NoteSpent(clock);
            var next = lease.Left - lease.MarkStep;
            lease.LowMark = lease.AskMark >= 0 ? Math.Max(next, lease.AskMark) : next;
        }
        finally
        {
            gate.Exit();
        }
        return isLow;
    }

    private bool TrySpendPromise(long units, long nowUs, long arrivedUnixMs, out long bucket)
    {
        var promise = Volatile.Read(ref _promise);
        bucket = promise?.Bucket ?? 0;
        if (promise is null || nowUs >= promise.DiesAtUs || arrivedUnixMs > Volatile.Read(ref _promisedUnixMs))
            return false;
        var isLate = clock.NowUs >= promise.BucketEndsAtUs;
        if (isLate)
        {
            promise.AddLate(units);    // before they are spent, so that it cannot be missed
            clock.NoteHeldUp();
        }
        if (promise.TrySpend(units, out var left))
        {
            if (left == 0)
                NoteEmpty();
            return true;
        }
        if (isLate)
            promise.AddLate(-units);
        return false;
    }

    public bool Covers(long units, long nowUs, long arrivedUnixMs)
    {
        var lease = Volatile.Read(ref _lease);
        if (Covers(lease, units, nowUs))
            return true;
        NoteEmpty(lease);
        return arrivedUnixMs <= Volatile.Read(ref _promisedUnixMs) && Covers(Volatile.Read(ref _promise), units, nowUs);
    }

    /// <summary>Units that calls which were not waiting may spend.</summary>
    public long Spendable(long nowUs) => Volatile.Read(ref _lease) is { } lease && nowUs < lease.DiesAtUs ? lease.Left : 0;

    /// <summary>Tries to undo a spend without the gate. Where spent units are told apart from unspent ones, it takes the gate.</summary>
    public bool TryTakeBack(long units, long bucket) =>
        !appetite.IsLarge && Volatile.Read(ref _lease) is { } lease && lease.Bucket == bucket && lease.TryAdd(units);

    /// <summary>Undoes a spend: into the lease that it came from, or back to the ledger. The caller holds the gate.</summary>
    public void TakeBack(long units, long bucket)
    {
        if (_lease is { } lease && lease.Bucket == bucket && (!appetite.IsLarge || lease.CanTakeBack(units)) && lease.TryTakeBack(units))
            return;
        appetite.GaveBack(units);
        if (!appetite.IsLarge)    // the ledger may count them as spent earlier by now: lost, never doubled
            _returns.Add(units, bucket);
    }

    /// <summary>Puts units of a bucket in hand. The caller holds the gate.</summary>
    public void Put(long bucket, long units, long diesAtUs, bool asksAhead)
    {
        if (_lease is { } held)
        {
            if (held.Bucket == bucket && held.TryGrow(units))
            {
                held.Extend(diesAtUs);
                SetMarks(held, units, asksAhead);
                return;
            }
            Close();
        }
        if (units <= 0)
            return;
        var lease = new Lease(bucket, units, diesAtUs);
        SetMarks(lease, units, asksAhead);
        Volatile.Write(ref _lease, lease);
    }

    private void SetMarks(Lease lease, long units, bool asksAhead)
    {
        lease.AskMark = asksAhead ? Appetite.LowMark(units) : -1;
        lease.MarkStep = Appetite.MarkStep(units);
        lease.LowMark = appetite.IsLarge ? Math.Max(lease.AskMark, lease.Left - lease.MarkStep) : lease.AskMark;
    }

    /// <summary>Calls that waited were admitted when the answer came; a busy machine lets them run when their bucket may have ended. The caller holds the gate.</summary>
    /// <param name="bucketEndsAtUs">What is spent from then on is counted once more, where it was spent: it leaves the window later.</param>
    public void Promise(long bucket, long units, long untilUs, long bucketEndsAtUs)
    {
        Volatile.Write(ref _promisedUnixMs, clock.UnixMs);
        if (_promise is { } held)
        {
            if (held.Bucket == bucket && held.TryGrow(units))
            {
                held.Extend(untilUs);
                return;
            }
            ClosePromise();    // at most one bucket's at a time
        }
        Volatile.Write(ref _promise, new Lease(bucket, units, untilUs) { BucketEndsAtUs = bucketEndsAtUs });
    }

    /// <summary>Ends the lease: what is left of it goes back. The caller holds the gate.</summary>
    public void Close()
    {
        if (_lease is { } lease)
            End(ref _lease, lease);
    }

    /// <summary>Ends what was promised. The caller holds the gate.</summary>
    public void ClosePromise()
    {
        if (_promise is { } promise)
            End(ref _promise, promise);
    }

    /// <summary>Ends what has died. The caller holds the gate.</summary>
    public void CloseDead(long nowUs)
    {
        if (_lease is { } lease && nowUs >= lease.DiesAtUs)
            Close();
        if (_promise is { } promise && nowUs >= promise.DiesAtUs)
            ClosePromise();
    }

    /// <summary>What goes back with the next ask, at most once. The caller holds the gate.</summary>
    public Returns TakeReturns()
    {
        var returns = _returns;
        _returns.Clear();
        return returns;
    }

    /// <summary>Returns that were not heard. The caller holds the gate.</summary>
    public void KeepReturns(long units, long bucket) => _returns.Add(units, bucket);

    /// <summary>
    /// Units that were not spent in the bucket in which they are counted, and how long ago, at the least, the last of them was: so they can be counted
    /// where they were spent, and leave the window earlier, or later. Told at most once. The caller holds the gate.
    /// </summary>
    public SpentPiece[] TakeSpent()
    {
        if (_promise is { } kept)
            _late.Add(kept.TakeLate(), kept.Bucket);
        if (_lease is { } lease)
            Tell(lease);
        if (_promise is { } promise)
            Tell(promise);
        if (_late.Units == 0 && _spent.Count == 0)
            return [];
        var nowUs = clock.NowUs;
        var pieces = _spent.ConvertAll(spent => new SpentPiece(spent.Units, spent.Bucket, Math.Max(0, nowUs - spent.ByUs) / 1000));
        if (_late.Units > 0)
            pieces.Add(new SpentPiece(_late.Units, _late.Bucket, 0));
        _late.Clear();
        _spent.Clear();
        return [.. pieces];
    }

    /// <summary>Nothing of before counts. The caller holds the gate.</summary>
    public void Forget()
    {
        _lease?.Close();
        _lease = null;
        _promise?.Close();
        _promise = null;
        _returns.Clear();
        _spent.Clear();
        _late.Clear();
    }

    private void End(ref Lease? place, Lease lease)
    {
        place = null;
        var left = lease.Close();
        _late.Add(lease.TakeLate(), lease.Bucket);
        appetite.GaveBack(left);
        _returns.Add(left, lease.Bucket);
        Tell(lease);
    }

    private void Tell(Lease lease)
    {
        if (!appetite.IsLarge)
            return;
        lease.Tell(clock, (units, byUs) =>
        {
            if (_spent.Count < MostPieces)    // what is not told is counted longer
                _spent.Add((lease.Bucket, units, byUs));
        });
    }

    private void NoteEmpty(Lease? found)
    {
        if (found is { Left: 0, EmptySinceUs: 0 })
            NoteEmpty();
    }

    private void NoteEmpty()
    {
        if (!appetite.IsLarge || !gate.TryEnter())
            return;
        try
        {
            if (_lease is { Left: 0 } lease)
                lease.NoteEmpty(clock.NowUs);
            if (_promise is { Left: 0 } promise)
                promise.NoteEmpty(clock.NowUs);
        }
        finally
        {
            gate.Exit();
        }
    }

    private static bool Covers(Lease? lease, long units, long nowUs) => lease is not null && nowUs < lease.DiesAtUs && lease.Left >= units;
}
