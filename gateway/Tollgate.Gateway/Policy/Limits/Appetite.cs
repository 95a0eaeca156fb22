namespace Tollgate.Gateway.Policy.Limits;

/// <summary>
/// How much a counter asks for at a time: what it spends in a quarter of a second or a bucket, growing at most twofold from ask to ask, and where the ledger is
/// shared never so much that a node that dies takes a noticeable part of the limit with it. The counter's gate guards it.
/// </summary>
internal sealed class Appetite(long limit, long bucketUs, long unitsPerSecond, bool isShared)
{
    private const long LongestSliceUs = 500_000;

    private readonly long _lastingUs = Math.Min(bucketUs, LongestSliceUs);
    private long _countedFromUs;
    private long _counted;    // granted since then, and what was left then

    /// <summary>What a node may hold of the limit: as much is lost when it dies.</summary>
    public long Most { get; } = isShared ? Math.Clamp(Math.Max(limit / 128, unitsPerSecond / 8), 1, Math.Max(1, limit)) : Math.Max(1, limit);

    public long Slice { get; private set; } = 1;

    public void Granted(long units) => _counted += units;

    public void GaveBack(long units) => _counted -= units;

    /// <summary>What was spent since the last time.</summary>
    public long Spent(long left, long nowUs, out long elapsedUs)
    {
        var spent = Math.Max(0, _counted - left);
        elapsedUs = Math.Max(1, nowUs - _countedFromUs);
        _counted = left;
        _countedFromUs = nowUs;
        return spent;
    }

    /// <summary>Fits the next slice to what was spent.</summary>
    public void Fit(long spent, long elapsedUs) =>
        Slice = (long)Math.Clamp((double)spent * _lastingUs / elapsedUs, 1, Math.Min(2 * Slice, Most));

    public void Forget() => _counted = 0;
}
