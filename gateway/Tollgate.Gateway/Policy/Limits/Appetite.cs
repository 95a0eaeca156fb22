namespace Tollgate.Gateway.Policy.Limits;

/// <summary>
/// How much a counter asks for at a time: what it spends in a quarter of a second or a bucket, growing at most twofold from ask to ask (fourfold where much is allowed), and where the ledger is
/// shared never so much that a node that dies takes a noticeable part of the limit with it. Where much is allowed a second a round trip must be worth many
/// calls: slices are larger, are held longer, and nodes that find little left come in turns. The counter's gate guards it.
/// </summary>
internal sealed class Appetite
{
    private const long ManyPerSecond = 500;
    private const long LongestSliceUs = 500_000;
    private const long LongestLargeSliceUs = 1_000_000;
    private const long QuotaSliceUs = 2_000_000;
    private const long HoldUs = 250_000;
    private const long LargeHoldUs = 500_000;
    private const long UsualHold = 5;

    /// <summary>What a turn is worth waiting for, where much is allowed: so many units, or a part of what is allowed in a second. More where many are refused anyway.</summary>
    private const long WorthATurn = 160;
    private const long TurnsOfASecond = 12;
    private const long TurnsOfACrowdedSecond = 6;

    /// <summary>Of the window, how long a large slice lasts a node that spends all that the limit allows. One that spends a quarter of that has it twice as long:
    /// so the fewest asks leave the least unspent in all hands together.</summary>
    private const double Pace = 0.12;

    /// <summary>It may last so many times longer while nearly everything is left.</summary>
    private const double AmpleTimes = 4;
    private const double ShortestPaceUs = 40_000;
    private const double LongestPaceUs = 500_000;

    private readonly long _lastingUs;
    private readonly double _paceUs;
    private readonly double _unitsPerUs;
    private readonly double _limit;
    private readonly long _least;
    private readonly long _calmFloor;
    private readonly long _crowdedFloor;
    private long _countedFromUs;
    private long _counted;    // granted since then, and what was left then
    private long _refused;

    /// <param name="bucketUs">The bucket of a window; <see cref="long.MaxValue"/> = a quota, whose leases live as long as its period.</param>
    public Appetite(long limit, long bucketUs, long unitsPerSecond, bool isShared)
    {
        var isQuota = bucketUs == long.MaxValue;
        IsLarge = isShared && unitsPerSecond >= ManyPerSecond;
        Hold = IsLarge ? Math.Clamp((LargeHoldUs / bucketUs) + 1, 2, Window.MostHold) : isShared ? Math.Clamp(HoldUs / bucketUs, 1, UsualHold) : 1;
        _calmFloor = IsLarge ? Math.Min(WorthATurn, unitsPerSecond / TurnsOfASecond) : 1;
        _crowdedFloor = IsLarge ? Math.Min(WorthATurn, unitsPerSecond / TurnsOfACrowdedSecond) : 1;
        Floor = _calmFloor;
        _least = IsLarge ? unitsPerSecond / 50 : 1;
        Slice = _least;
        Most = isShared ? Math.Clamp(Math.Max(limit / 128, unitsPerSecond / (IsLarge ? 3 : 8)), 1, Math.Max(1, limit)) : Math.Max(1, limit);
        _limit = limit;
        _lastingUs = isQuota ? QuotaSliceUs : IsLarge ? Math.Min(bucketUs * Hold, LongestLargeSliceUs) : Math.Min(bucketUs, LongestSliceUs);
        _unitsPerUs = Math.Max(1, unitsPerSecond) / 1e6;
        _paceUs = Math.Max(limit / _unitsPerUs * Pace, ShortestPaceUs);
    }

    /// <summary>So much is allowed a second that calls far outnumber round trips.</summary>
    public bool IsLarge { get; }

    /// <summary>What a node may hold of the limit: as much is lost when it dies.</summary>
    public long Most { get; }

    /// <summary>What a round trip should bring, if it is there.</summary>
    public long Floor { get; private set; }

    /// <summary>Buckets that a lease may live for.</summary>
    public long Hold { get; }

    public long Slice { get; private set; }

    public void Granted(long units) => _counted += units;

    public void GaveBack(long units) => _counted -= units;

    /// <summary>A call was refused. Counted without care.</summary>
    public void NoteRefused() => _refused++;

    /// <summary>What was spent since the last time, and in how long: what is refused while nothing is in hand says nothing of the demand.</summary>
    /// <param name="emptySinceUs">Since when nothing is in hand; 0 = something is, or that is not known.</param>
    public long Spent(long left, long nowUs, long emptySinceUs, out long elapsedUs)
    {
        var spent = Math.Max(0, _counted - left);
        elapsedUs = Math.Max(1, (emptySinceUs > _countedFromUs ? emptySinceUs : nowUs) - _countedFromUs);
        _counted = left;
        _countedFromUs = nowUs;
        return spent;
    }

    /// <summary>Fits the next slice to what was spent.</summary>
    /// <param name="room">What the ledger had left when it was last heard.</param>
    public void Fit(long spent, long elapsedUs, long room)
    {
        Floor = _refused * 3 > spent ? _crowdedFloor : _calmFloor;
        _refused = 0;
        var perUs = (double)spent / elapsedUs;
        var lastingUs = (double)_lastingUs;
        if (IsLarge)
        {
            var paceUs = Math.Min(_paceUs * (1 + (AmpleTimes * Math.Clamp((double)room / _limit, 0, 1))), LongestPaceUs);
            lastingUs = Math.Min(lastingUs, paceUs / Math.Sqrt(Math.Max(perUs / _unitsPerUs, 1e-6)));
        }
        Slice = (long)Math.Clamp(perUs * lastingUs, _least, Math.Min((IsLarge ? 4 : 2) * Slice, Most));
    }

    /// <summary>Below so many units the next slice is asked for.</summary>
    public static long LowMark(long units) => units >= 8 ? Math.Max(2, units / 10) : -1;

    /// <summary>After so many of a slice's units the time is noted, so that the ledger hears when they were spent.</summary>
    public static long MarkStep(long units) => Math.Max(2, units / 8);

    public void Forget() => _counted = 0;
}
