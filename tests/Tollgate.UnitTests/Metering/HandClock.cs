namespace Tollgate.UnitTests.Metering;

/// <summary>A clock that a test moves by hand.</summary>
internal sealed class HandClock(long unixMs) : TimeProvider
{
    private long _elapsedMs;

    public void Advance(TimeSpan by) => Interlocked.Add(ref _elapsedMs, (long)by.TotalMilliseconds);

    public override long TimestampFrequency => 1000;
    public override long GetTimestamp() => 1 + Interlocked.Read(ref _elapsedMs);
    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(unixMs + Interlocked.Read(ref _elapsedMs));
}
