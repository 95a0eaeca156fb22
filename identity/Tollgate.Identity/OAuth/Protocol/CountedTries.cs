using System.Collections.Concurrent;

namespace Tollgate.Identity.OAuth.Protocol;

/// <summary>So many tries in a window, from the first of them on. A try is counted before it is judged, so that many at once gain nothing, and a right one is given back.</summary>
internal sealed class CountedTries(int most, TimeSpan window, TimeProvider time)
{
    private const int MostRemembered = 10_000;
    private readonly ConcurrentDictionary<Guid, Tries> _tries = new();

    /// <summary>Null = go ahead; else how long to wait.</summary>
    public TimeSpan? Take(Guid who)
    {
        var now = time.GetTimestamp();
        if (_tries.Count >= MostRemembered)
            foreach (var (old, _) in _tries.Where(t => time.GetElapsedTime(t.Value.Began, now) >= window)) _tries.TryRemove(old, out _);
        var tries = _tries.AddOrUpdate(who, _ => new Tries(1, now), (_, t) => time.GetElapsedTime(t.Began, now) >= window ? new Tries(1, now) : t with { Count = t.Count + 1 });
        return tries.Count <= most ? null : window - time.GetElapsedTime(tries.Began, now);
    }

    public void GiveBack(Guid who)
    {
        if (_tries.TryGetValue(who, out var tries) && tries.Count > 0) _tries.TryUpdate(who, tries with { Count = tries.Count - 1 }, tries);
    }

    private readonly record struct Tries(int Count, long Began);
}
