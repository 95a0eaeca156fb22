namespace Tollgate.Gateway.Balancing;

/// <summary>When a route's service gets a rest.</summary>
/// <param name="Calls">Without a ratio: so many failures in a row. With one: so many calls must have been sampled.</param>
/// <param name="Ratio">Share of failures; null = none.</param>
internal sealed record CircuitRule(int Calls, long BreakMs, double? Ratio, long SamplingMs);

/// <summary>
/// Refuses calls for a while once a service has failed too often; then lets one through, and closes if that is answered well. Outlives a reload that
/// leaves its rule as it was.
/// </summary>
internal sealed class CircuitBreaker(CircuitRule rule)
{
    private const int Buckets = 10;

    private readonly Lock _lock = new();
    private readonly (long Number, int Calls, int Failures)[] _sampled = new (long, int, int)[Buckets];
    private long _openUntil;
    private bool _open;
    private bool _probing;
    private int _inARow;
    private long _era;    // what began in another says nothing of this one

    /// <summary>Whether a call may go. Each that may is told about by <see cref="Tell"/> or <see cref="Abandon"/>, with its ticket.</summary>
    public bool TryEnter(long nowUnixMs, out long ticket, out int retryAfterSeconds)
    {
        lock (_lock)
        {
            retryAfterSeconds = 0;
            ticket = _era;
            if (!_open) return true;
            if (nowUnixMs >= _openUntil && !_probing)
            {
                ticket = ++_era;
                return _probing = true;
            }

            retryAfterSeconds = (int)Math.Clamp((_openUntil - nowUnixMs + 999) / 1000, 1, int.MaxValue);
            return false;
        }
    }

    public void Tell(long ticket, bool failed, long nowUnixMs)
    {
        lock (_lock)
        {
            if (ticket != _era) return;
            if (_open)
            {
                _probing = false;
                if (failed) _openUntil = nowUnixMs + rule.BreakMs;
                else Close();
                return;
            }

            if (!(rule.Ratio is null ? IsTooManyInARow(failed) : IsTooManyOf(failed, nowUnixMs))) return;
            _open = true;
            _era++;
            _openUntil = nowUnixMs + rule.BreakMs;
        }
    }

    /// <summary>The call says nothing of the service: its caller went away, or was wrong.</summary>
    public void Abandon(long ticket)
    {
        lock (_lock)
        {
            if (ticket == _era) _probing = false;
        }
    }

    private bool IsTooManyInARow(bool failed)
    {
        _inARow = failed ? _inARow + 1 : 0;
        return _inARow >= rule.Calls;
    }

    private bool IsTooManyOf(bool failed, long nowUnixMs)
    {
        var number = nowUnixMs / Math.Max(1, rule.SamplingMs / Buckets);
        ref var bucket = ref _sampled[number % Buckets];
        if (bucket.Number != number) bucket = (number, 0, 0);
        bucket.Calls++;
        if (failed) bucket.Failures++;

        var calls = 0;
        var failures = 0;
        foreach (var sampled in _sampled)
        {
            if (sampled.Number <= number - Buckets) continue;
            calls += sampled.Calls;
            failures += sampled.Failures;
        }

        return failed && calls >= rule.Calls && failures >= rule.Ratio * calls;
    }

    private void Close()
    {
        _open = false;
        _inARow = 0;
        Array.Clear(_sampled);
    }
}
