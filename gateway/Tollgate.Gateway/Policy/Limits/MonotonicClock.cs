namespace Tollgate.Gateway.Policy.Limits;

/// <summary>Microseconds that only ever go forward; their beginning means nothing.</summary>
internal sealed class MonotonicClock(TimeProvider time)
{
    private readonly long _ticksPerUs = time.TimestampFrequency % 1_000_000 == 0 ? time.TimestampFrequency / 1_000_000 : 0;

    public long NowUs => _ticksPerUs > 0
        ? time.GetTimestamp() / _ticksPerUs
        : (long)(time.GetTimestamp() / (double)time.TimestampFrequency * 1_000_000);

    public long UnixMs => time.GetUtcNow().ToUnixTimeMilliseconds();
}
