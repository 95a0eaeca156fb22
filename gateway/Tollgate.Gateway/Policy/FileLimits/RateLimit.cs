using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Tollgate.Gateway.Policy.FileLimits;

/// <summary>
/// Counts the calls of a route's clients against a <see cref="RateRule"/>. A period begins with a client's first call. Outlives a reload that leaves the
/// rule as it was. In memory and of this process alone, as in Ocelot: limits that are shared and sold are those of plans.
/// </summary>
internal sealed class RateLimit(RateRule rule, int capacity = 100_000)
{
    private const int LongestName = 128;

    private readonly ConcurrentDictionary<string, Window> _windows = new(StringComparer.Ordinal);
    private int _count;

    public RateRule Rule => rule;

    public RateStanding Count(string? client, long nowUnixMs)
    {
        if (string.IsNullOrWhiteSpace(client)) return new RateStanding(rule, RateAnswer.Unidentified, 0, 0, 0);
        if (Array.IndexOf(rule.Free, client) >= 0) return new RateStanding(rule, RateAnswer.Free, 0, 0, 0);
        if (client.Length > LongestName) client = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(client)));

        if (!_windows.TryGetValue(client, out var window)) window = Add(client, nowUnixMs);
        return window.Count(rule, nowUnixMs);
    }

    // Names cost nothing to make up: what is over goes, and when that is not enough, everything.
    private Window Add(string client, long nowUnixMs)
    {
        if (Interlocked.Increment(ref _count) > capacity)
        {
            foreach (var (name, window) in _windows)
                if (window.IsOver(rule, nowUnixMs))
                    _windows.TryRemove(name, out _);
            if (_windows.Count >= capacity * 3L / 4) _windows.Clear();
            Volatile.Write(ref _count, _windows.Count + 1);
        }

        return _windows.GetOrAdd(client, static _ => new Window());
    }

    private sealed class Window
    {
        private readonly Lock _lock = new();
        private long _startedAt = long.MinValue;
        private long _refusedAt;
        private long _calls;

        public bool IsOver(RateRule rule, long now)
        {
            lock (_lock) return now >= End(rule);
        }

        public RateStanding Count(RateRule rule, long now)
        {
            lock (_lock)
            {
                if (_startedAt == long.MinValue || now >= End(rule))
                {
                    _startedAt = now;
                    _refusedAt = 0;
                    _calls = 0;
                }

                if (_refusedAt == 0 && _calls < rule.Limit)
                {
                    _calls++;
                    return new RateStanding(rule, RateAnswer.Admitted, rule.Limit - _calls, _startedAt + rule.PeriodMs, 0);
                }

                if (_refusedAt == 0) _refusedAt = now;
                return new RateStanding(rule, RateAnswer.Refused, 0, _startedAt + rule.PeriodMs, End(rule) - now);
            }
        }

        // A wait begins with the first refused call, and may be longer or shorter than what is left of the period.
        private long End(RateRule rule) => _refusedAt != 0 && rule.WaitMs is { } wait ? _refusedAt + wait : _startedAt + rule.PeriodMs;
    }
}
