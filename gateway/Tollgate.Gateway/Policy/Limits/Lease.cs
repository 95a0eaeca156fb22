namespace Tollgate.Gateway.Policy.Limits;

/// <summary>Units that the ledger has granted to this node, to be spent before their bucket ends. Spent by interlocked exchange.</summary>
internal sealed class Lease(long bucket, long units, long diesAtUs)
{
    private const long Closed = -1;
    private const int MostMarks = 16;

    private long _units = units;
    private long _diesAtUs = diesAtUs;
    private long _emptySinceUs;
    private long _granted = units;
    private long _told;
    private long _late;
    private List<Mark>? _marks;

    /// <summary>The bucket, or a quota's period, that the units were counted in: what is left of them returns there and nowhere else.</summary>
    public long Bucket { get; } = bucket;

    /// <summary>Below this many units the time is noted, or the next slice is asked for. A hint, written without care.</summary>
    public long LowMark = -1;

    /// <summary>Units after which the time is noted.</summary>
    public long MarkStep { get; set; }

    /// <summary>Below this many units the next slice is asked for; -1 = it was, or is not to be. A hint, written without care.</summary>
    public long AskMark = -1;

    public long DiesAtUs => Volatile.Read(ref _diesAtUs);
    public long Left => Math.Max(0, Volatile.Read(ref _units));

    /// <summary>When the bucket ends, where the lease may be spent beyond that: what is, is late.</summary>
    public long BucketEndsAtUs { get; set; } = long.MaxValue;

    /// <summary>Units spent, or about to be, after their bucket ended.</summary>
    public void AddLate(long units) => Interlocked.Add(ref _late, units);

    /// <summary>Late units of which the ledger has not been told.</summary>
    public long TakeLate() => Math.Max(0, Interlocked.Exchange(ref _late, 0));

    public bool HasLate => Volatile.Read(ref _late) > 0;

    /// <summary>When it was first found empty; 0 = it was not. By then all its units had been spent.</summary>
    public long EmptySinceUs => Volatile.Read(ref _emptySinceUs);

    public bool TrySpend(long wanted, out long left)
    {
        var seen = Volatile.Read(ref _units);
        while (seen >= wanted)
        {
            var before = Interlocked.CompareExchange(ref _units, seen - wanted, seen);
            if (before == seen)
            {
                left = seen - wanted;
                return true;
            }
            seen = before;
        }
        left = 0;
        return false;
    }

    /// <summary>Adds units of the same bucket without the gate. False when the lease was closed in the meantime.</summary>
    public bool TryAdd(long more)
    {
        var seen = Volatile.Read(ref _units);
        while (seen >= 0)
        {
            var before = Interlocked.CompareExchange(ref _units, seen + more, seen);
            if (before == seen)
                return true;
            seen = before;
        }
        return false;
    }

    /// <summary>Adds units newly granted in the same bucket. The counter's gate guards it.</summary>
    public bool TryGrow(long more)
    {
        if (!TryReturn(more))
            return false;
        _granted += more;
        return true;
    }

    /// <summary>Adds units that were spent from it in vain. The counter's gate guards it.</summary>
    public bool TryTakeBack(long units)
    {
        if (!TryReturn(units))
            return false;
        for (var i = 0; i < (_marks?.Count ?? 0); i++)
            _marks![i] = _marks[i] with { Spent = _marks[i].Spent - units };    // whoever spends them next does so later
        return true;
    }

    private bool TryReturn(long more)
    {
        if (!TryAdd(more))
            return false;
        if (more > 0)
            Volatile.Write(ref _emptySinceUs, 0);
        return true;
    }

    /// <summary>Lives on until <paramref name="diesAtUs"/> if that is later. Every estimate lies before the bucket's true end, so the latest is the best.</summary>
    public void Extend(long diesAtUs)
    {
        if (diesAtUs > DiesAtUs)
            Volatile.Write(ref _diesAtUs, diesAtUs);
    }

    /// <summary>Notes that it is empty. The counter's gate guards it, so that it cannot grow meanwhile; the time must have been read after it was seen to be empty.</summary>
    public void NoteEmpty(long nowUs)
    {
        if (_emptySinceUs == 0)
            Volatile.Write(ref _emptySinceUs, nowUs);
    }

    /// <summary>Notes how much was spent by now. The counter's gate guards it.</summary>
    public void NoteSpent(MonotonicClock clock)
    {
        var spent = _granted - Left;
        _marks ??= [];
        if (_marks.Count < MostMarks)
            _marks.Add(new Mark(spent, clock.NowUs));    // the time is read after the units were
    }

    /// <summary>Says of units spent of which the ledger has not been told by when, at the latest, they were. The counter's gate guards it.</summary>
    public void Tell(MonotonicClock clock, Action<long, long> say)
    {
        foreach (var (spent, atUs) in _marks ?? [])
            Say(spent, atUs);
        _marks?.Clear();
        var all = _granted - Left;
        Say(all, EmptySinceUs > 0 ? EmptySinceUs : clock.NowUs);

        void Say(long spent, long byUs)
        {
            if (spent <= _told)
                return;
            say(spent - _told, byUs);
            _told = spent;
        }
    }

    /// <summary>Whether units spent in vain may be spent again: the ledger counts none of them as spent already. The counter's gate guards it.</summary>
    public bool CanTakeBack(long units) => Left + units <= _granted - _told;

    /// <summary>Ends the lease and says what was left. Nothing can be spent from it afterwards.</summary>
    public long Close()
    {
        var left = Math.Max(0, Interlocked.Exchange(ref _units, Closed));
        _granted -= left;
        return left;
    }

    /// <param name="Spent">Units spent in all.</param>
    private readonly record struct Mark(long Spent, long AtUs);
}
