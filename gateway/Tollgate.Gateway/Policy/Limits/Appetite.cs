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
    private const long LargeHoldUs = 400_000;
    private const long UsualHold = 5;

    private readonly long _lastingUs;
    private readonly long _least;
    private long _countedFromUs;
    private long _counted;    // granted since then, and what was left then

    /// <param name="bucketUs">The bucket of a window; <see cref="long.MaxValue"/> = a quota, whose leases live as long as its period.</param>
    public Appetite(long limit, long bucketUs, long unitsPerSecond, bool isShared)
    {
        var isQuota = bucketUs == long.MaxValue;
        IsLarge = isShared && unitsPerSecond >= ManyPerSecond;
        Hold = IsLarge ? Math.Clamp((LargeHoldUs / bucketUs) + 1, 2, Window.MostHold) : isShared ? Math.Clamp(HoldUs / bucketUs, 1, UsualHold) : 1;
        Floor = IsLarge ? unitsPerSecond / 8 : 1;
        _least = IsLarge ? unitsPerSecond / 50 : 1;
        Slice = _least;
        Most = isShared ? Math.Clamp(Math.Max(limit / 128, unitsPerSecond / (IsLarge ? 3 : 8)), 1, Math.Max(1, limit)) : Math.Max(1, limit);
        _lastingUs = isQuota ? QuotaSliceUs : IsLarge ? Math.Min(bucketUs * Hold, LongestLargeSliceUs) : Math.Min(bucketUs, LongestSliceUs);
    }

    /// <summary>So much is allowed a second that calls far outnumber round trips.</summary>
    public bool IsLarge { get; }

    /// <summary>What a node may hold of the limit: as much is lost when it dies.</summary>
    public long Most { get; }

    /// <summary>What a round trip should bring, if it is there.</summary>
    public long Floor { get; }

    /// <summary>Buckets that a lease may live for.</summary>
    public long Hold { get; }

    public long Slice { get; private set; }

    public void Granted(long units) => _counted += units;

    public void GaveBack(long units) => _counted -= units;

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
    public void Fit(long spent, long elapsedUs) =>
        Slice = (long)Math.Clamp((double)spent * _lastingUs / elapsedUs, _least, Math.Min((IsLarge ? 4 : 2) * Slice, Most));

    /// <summary>Below so many units the next slice is asked for.</summary>
    public static long LowMark(long units) => units >= 8 ? Math.Max(2, units / 10) : -1;

    public void Forget() => _counted = 0;
}
