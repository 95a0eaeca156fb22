namespace Tollgate.Gateway.Policy.Limits;

/// <summary>Units that the ledger has granted to this node, to be spent before their bucket ends. Spent by interlocked exchange.</summary>
internal sealed class Lease(long bucket, long units, long diesAtUs)
{
    private const long Closed = -1;

    private long _units = units;
    private long _diesAtUs = diesAtUs;

    /// <summary>The bucket, or a quota's period, that the units were counted in: what is left of them returns there and nowhere else.</summary>
    public long Bucket { get; } = bucket;

    /// <summary>Below this many units the next slice is asked for. A hint, written without care.</summary>
    public long LowMark = -1;

    public long DiesAtUs => Volatile.Read(ref _diesAtUs);
    public long Left => Math.Max(0, Volatile.Read(ref _units));

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

    /// <summary>Adds units of the same bucket. False when the lease was closed in the meantime.</summary>
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

    /// <summary>Lives on until <paramref name="diesAtUs"/> if that is later. Every estimate lies before the bucket's true end, so the latest is the best.</summary>
    public void Extend(long diesAtUs)
    {
        if (diesAtUs > DiesAtUs)
            Volatile.Write(ref _diesAtUs, diesAtUs);
    }

    /// <summary>Ends the lease and says what was left. Nothing can be spent from it afterwards.</summary>
    public long Close() => Math.Max(0, Interlocked.Exchange(ref _units, Closed));
}
