using System.Diagnostics;

namespace Tollgate.Testing;

/// <summary>
/// Waits for a fact, and fails with a sentence when it does not come true in time. Generous, because the machine may be many times slower than the one that
/// a test was written on: what comes true costs no test more time, only what never does.
/// </summary>
public static class Deadline
{
    public static readonly TimeSpan Default = TimeSpan.FromMinutes(2);

    /// <summary>Looks until <paramref name="fact"/> holds. Exceptions of a look count as "not yet".</summary>
    public static Task UntilAsync(string what, Func<Task<bool>> fact, TimeSpan? within = null) =>
        UntilAsync(what, async () => await fact() ? new object() : null, within);

    /// <summary>Looks until <paramref name="look"/> finds something.</summary>
    public static Task<T> UntilAsync<T>(string what, Func<Task<T?>> look, TimeSpan? within = null) where T : class => UntilAsync(() => what, look, within);

    /// <summary>Looks until <paramref name="look"/> finds something; <paramref name="what"/> is put into words once it is missed.</summary>
    public static async Task<T> UntilAsync<T>(Func<string> what, Func<Task<T?>> look, TimeSpan? within = null) where T : class
    {
        var limit = within ?? Default;
        var started = Stopwatch.GetTimestamp();
        Exception? last = null;
        while (true)
        {
            try
            {
                if (await look() is { } found) return found;
                last = null;
            }
            catch (Exception failed) when (failed is not Shouldly.ShouldAssertException)
            {
                last = failed;
            }

            if (Stopwatch.GetElapsedTime(started) > limit) throw new TimeoutException($"Not within {limit.TotalSeconds} s: {what()}", last);
            await Task.Delay(20);
        }
    }
}
