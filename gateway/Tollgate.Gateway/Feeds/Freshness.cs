namespace Tollgate.Gateway.Feeds;

/// <summary>
/// How lately the source of the credentials was heard. Past a certain age a revocation may have been missed, and keys marked as high risk are refused;
/// all others go on being served.
/// </summary>
internal sealed class Freshness(TimeProvider time, TimeSpan maxAge)
{
    private const long Never = 0;
    private const long Always = long.MaxValue;

    private long _heardAt = Always;

    /// <summary>Whether what is known is no older than it may be.</summary>
    public bool IsFresh => Volatile.Read(ref _heardAt) is var at && (at == Always || at != Never && time.GetElapsedTime(at) <= maxAge);

    public TimeSpan MaxAge => maxAge;

    /// <summary>What is known came from a disk, and nobody has confirmed it yet.</summary>
    public void Doubt() => Volatile.Write(ref _heardAt, Never);

    /// <summary>The source was heard now.</summary>
    public void Hear() => Volatile.Write(ref _heardAt, Math.Max(1, time.GetTimestamp()));

    /// <summary>The source is at hand, and stays so until told otherwise.</summary>
    public void Hold() => Volatile.Write(ref _heardAt, Always);

    /// <summary>The source cannot be read from now on.</summary>
    public void Lose()
    {
        if (Volatile.Read(ref _heardAt) == Always) Hear();
    }
}
