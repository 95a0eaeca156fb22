namespace Tollgate.Gateway.Policy.Limits;

/// <summary>
/// A strict sliding window over buckets. Units may be granted at time t only if the sum over all buckets that touch (t − W, t] stays within
/// the limit; they land in the bucket of t and must be spent before it ends. So no interval of length W, wherever it begins, sees more than
/// the limit. <see cref="LedgerScripts.Window"/> says the same in Lua. Not thread-safe: the owner locks.
/// </summary>
internal sealed class Window
{
    /// <summary>As many buckets may lie ahead: a lease that is held longer is counted where it ends.</summary>
    public const int MostHold = 11;

    /// <summary>For so long after the last turn it is believed that more is wanted than there is.</summary>
    private const long CrowdedMs = 250;
    /// <summary>So far apart a node's turns are at most, unless nothing is free earlier: where others do not use theirs, nothing lies idle for long.</summary>
    private const long QueueMs = 460;
    private const long FurthestTurnMs = 2000;

    private readonly long _windowMs;
    private readonly long _bucketMs;
    private readonly long[] _numbers;
    private readonly long[] _units;
    private long _turnMs;

    public Window(long windowMs)
    {
        _windowMs = windowMs;
        _bucketMs = BucketMs(windowMs);
        var touched = (int)(windowMs / _bucketMs) + 2 + MostHold;
        _numbers = new long[touched];
        _units = new long[touched];
        Array.Fill(_numbers, long.MinValue);
    }

    /// <summary>When the last units were counted or asked for; what is idle for longer than the window is empty.</summary>
    public long LastAskedUs { get; private set; }

    /// <summary>How long after the last ask nothing can be left in it.</summary>
    public long EmptyAfterUs => (_windowMs + ((2 + MostHold) * _bucketMs)) * 1000;

    /// <summary>A twentieth of a window of up to a second, else a sixtieth; whole milliseconds, rounded up.</summary>
    public static long BucketMs(long windowMs)
    {
        var buckets = windowMs <= 1000 ? 20 : 60;
        return Math.Max(1, (windowMs + buckets - 1) / buckets);
    }

    public LedgerAnswer Ask(long nowUs, long limit, in LedgerAsk ask)
    {
        LastAskedUs = nowUs;
        var nowMs = nowUs / 1000;
        var current = nowMs / _bucketMs;
        var oldest = FloorDivide(nowMs - _windowMs, _bucketMs);
        if (ask.Returned > 0)
            Return(ask.Returned, ask.ReturnedTo, oldest);
        foreach (var (units, from, agoMs) in ask.Spent ?? [])
            Move(units, from, (nowMs - agoMs) / _bucketMs, oldest);
        if (ask.Debt > 0)
            CountIn(current, ask.Debt);

        var sum = Sum(oldest);
        var room = limit - sum;
        if (room < ask.Need)
        {
            var retryUs = FreeIn(nowUs, oldest, sum + ask.Need - limit);
            return new LedgerAnswer(LedgerOutcome.Refused, 0, Math.Max(0, room), current, LeftUs(current, nowUs), retryUs, TurnUs(ask, limit, nowUs, oldest, room));
        }

        var isCrowded = _turnMs > nowMs - CrowdedMs;
        var grant = ask.Need == 0 ? 0 : ask.GrantFrom(room, isCrowded);
        var holds = ask.TakesTurns ? grant > 0 : grant > ask.Need && (sum * 2 <= limit || grant * 32 <= limit);
        var into = holds ? current + Math.Min(ask.Hold, MostHold) - 1 : current;
        if (grant > 0)
            CountIn(into, grant);
        var turnUs = isCrowded ? TurnUs(ask, limit, nowUs, oldest, room - grant) : 0;
        return new LedgerAnswer(LedgerOutcome.Granted, grant, room - grant, into, LeftUs(into, nowUs), FreeIn(nowUs, oldest, 1), turnUs);
    }

    /// <summary>What is in the window now.</summary>
    public long Spent(long nowUs) => Sum(FloorDivide((nowUs / 1000) - _windowMs, _bucketMs));

    /// <summary>What is in the window now, and how long ago at the least it was spent.</summary>
    public IReadOnlyList<SpentUnits> Ages(long nowUs)
    {
        var nowMs = nowUs / 1000;
        var oldest = FloorDivide(nowMs - _windowMs, _bucketMs);
        var ages = new List<SpentUnits>();
        for (var slot = 0; slot < _numbers.Length; slot++)
        {
            if (_numbers[slot] >= oldest && _units[slot] > 0)
                ages.Add(new SpentUnits(Math.Max(0, nowMs - ((_numbers[slot] + 1) * _bucketMs)), _units[slot]));
        }
        return ages;
    }

    private long LeftUs(long bucket, long nowUs) => ((bucket + 1) * _bucketMs * 1000) - nowUs;

    /// <summary>Counts units now, whether or not there is room; negative ones are taken back.</summary>
    public void Count(long units, long nowUs)
    {
        LastAskedUs = nowUs;
        CountIn(nowUs / 1000 / _bucketMs, units);
    }

    private void CountIn(long bucket, long units)
    {
        var slot = (int)(bucket % _numbers.Length);
        if (_numbers[slot] != bucket)
        {
            _numbers[slot] = bucket;
            _units[slot] = 0;
        }
        _units[slot] += units;
    }

    private void Return(long units, long bucket, long oldest)
    {
        if (bucket < oldest || bucket < 0)
            return;
        var slot = (int)(bucket % _numbers.Length);
        if (_numbers[slot] == bucket)
            _units[slot] = Math.Max(0, _units[slot] - units);
    }

    private void Move(long units, long from, long to, long oldest)
    {
        var slot = (int)(from % _numbers.Length);
        if (from == to || from < oldest || from < 0 || _numbers[slot] != from)
            return;
        var moved = Math.Min(units, _units[slot]);
        _units[slot] -= moved;
        if (to >= Math.Max(0, oldest))
            CountIn(to, moved);
    }

    /// <summary>Nodes that find less than they want come one after the other, each when something worth the way should be free.</summary>
    private long TurnUs(in LedgerAsk ask, long limit, long nowUs, long oldest, long room)
    {
        var worth = Math.Min(ask.Floor, ask.Want);
        if (!ask.TakesTurns || ask.Need <= 0 || room >= worth)
            return 0;
        var nowMs = nowUs / 1000;
        var freeAtMs = nowMs + (FreeIn(nowUs, oldest, worth - room) / 1000);
        var nextMs = _turnMs + (worth * _windowMs * 11 / (limit * 10));    // about as long as so many need to become free
        _turnMs = Math.Max(Math.Min(nextMs, nowMs + QueueMs), freeAtMs);
        return Math.Min((_turnMs * 1000) - nowUs, FurthestTurnMs * 1000);
    }

    private long Sum(long oldest)
    {
        long sum = 0;
        for (var slot = 0; slot < _numbers.Length; slot++)
        {
            if (_numbers[slot] >= oldest)
                sum += _units[slot];
        }
        return sum;
    }

    /// <summary>Microseconds until <paramref name="units"/> of those counted have left the window; the whole window when there are not so many.</summary>
    private long FreeIn(long nowUs, long oldest, long units)
    {
        var last = (nowUs / 1000 / _bucketMs) + MostHold;
        for (var bucket = Math.Max(0, oldest); bucket <= last; bucket++)
        {
            var slot = (int)(bucket % _numbers.Length);
            if (_numbers[slot] == bucket && (units -= _units[slot]) <= 0)
                return ((((bucket + 1) * _bucketMs) + _windowMs) * 1000) - nowUs;
        }
        return _windowMs * 1000;
    }

    private static long FloorDivide(long value, long by) => value >= 0 ? value / by : -((-value + by - 1) / by);
}
