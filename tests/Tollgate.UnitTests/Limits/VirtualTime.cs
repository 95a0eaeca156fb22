namespace Tollgate.UnitTests.Limits;

/// <summary>A clock that moves only when told to; timestamps and the calendar move together.</summary>
internal sealed class VirtualTime(DateTimeOffset? start = null) : TimeProvider
{
    private readonly DateTimeOffset _start = start ?? new DateTimeOffset(2026, 3, 10, 9, 30, 0, TimeSpan.Zero);
    private long _us;

    public long NowUs => Interlocked.Read(ref _us);

    public override long TimestampFrequency => 1_000_000;

    public override long GetTimestamp() => 3_600_000_000 + NowUs;

    public override DateTimeOffset GetUtcNow() => _start.AddMicroseconds(NowUs);

    public void Advance(TimeSpan by) => Interlocked.Add(ref _us, (long)by.TotalMicroseconds);

    public void AdvanceUs(long us) => Interlocked.Add(ref _us, us);
}
