namespace Tollgate.Gateway.Policy.Limits;

/// <summary>Microseconds that only ever go forward; their beginning means nothing.</summary>
internal sealed class MonotonicClock(TimeProvider time)
{
    private const long HeldUpForUs = 10_000_000;

    private long _heldUpAtUs = long.MinValue / 2;
    private readonly long _ticksPerUs = time.TimestampFrequency % 1_000_000 == 0 ? time.TimestampFrequency / 1_000_000 : 0;

    public long NowUs => _ticksPerUs > 0
        ? time.GetTimestamp() / _ticksPerUs
        : (long)(time.GetTimestamp() / (double)time.TimestampFrequency * 1_000_000);

    /// <summary>Lately a thread of this node was held up until its bucket had ended: units may be counted later than those who wait were told.</summary>
    public bool WasHeldUp => NowUs - Volatile.Read(ref _heldUpAtUs) < HeldUpForUs;

    public void NoteHeldUp() => Volatile.Write(ref _heldUpAtUs, NowUs);

    public long UnixMs => time.GetUtcNow().ToUnixTimeMilliseconds();
}
