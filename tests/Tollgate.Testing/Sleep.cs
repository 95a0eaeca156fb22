using System.Diagnostics;

namespace Tollgate.Testing;

/// <summary>Sleeps as a client does that was told for how long.</summary>
public static class Sleep
{
    /// <summary>Not a tick less: timers count by a coarser clock, and may be early by some milliseconds of ours.</summary>
    public static async Task ExactlyAsync(TimeSpan time)
    {
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < time)
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Max(1, (time - Stopwatch.GetElapsedTime(started)).TotalMilliseconds)));
    }
}
