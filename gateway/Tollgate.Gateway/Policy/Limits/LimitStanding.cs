namespace Tollgate.Gateway.Policy.Limits;

/// <summary>
/// Where a call left its plan's limits, enough to write the answer's headers: <c>RateLimit-Policy</c> and <c>RateLimit</c>
/// (draft-ietf-httpapi-ratelimit-headers: structured fields, one item a policy, <c>q</c>, <c>w</c>, <c>r</c>, <c>t</c>).
/// </summary>
internal readonly struct LimitStanding
{
    private readonly CounterSet? _counters;
    private readonly MonotonicClock? _clock;
    private readonly ulong _shadowRefusals;

    public LimitStanding(CounterSet counters, MonotonicClock clock, long decidedUnixMs, ulong shadowRefusals = 0)
    {
        _counters = counters;
        _clock = clock;
        _shadowRefusals = shadowRefusals;
        DecidedUnixMs = decidedUnixMs;
    }

    /// <summary>The <c>RateLimit-Policy</c> value, made when the entitlement was compiled; null when the plan has no limits.</summary>
    public string? Policy => _counters?.Policy;

    /// <summary>Writes the <c>RateLimit</c> value. Remaining values are never more than what would be admitted.</summary>
    public string? Describe() => _counters?.Describe(_clock!.NowUs);

    /// <summary>Writes what is left of each limit and quota now, in the order of the plan, then of each limit of calls at a time. Returns how many there are.</summary>
    public int Left(Span<long> left)
    {
        if (_counters is null) return 0;
        var nowUs = _clock!.NowUs;
        var (counters, concurrency) = (_counters.Counters, _counters.Concurrency);
        var count = Math.Min(left.Length, counters.Length + concurrency.Length);
        for (var i = 0; i < count; i++) left[i] = i < counters.Length ? counters[i].Remaining(nowUs) : concurrency[i - counters.Length].Remaining;
        return count;
    }

    /// <summary>Names of the limits in shadow mode that would have refused the call, as the <c>RateLimit-Shadow</c> header says them; null when none would have.</summary>
    public string? ShadowRefusals => _shadowRefusals == 0 ? null : _counters!.Names(_shadowRefusals);

    /// <summary>Calls back with the name of each limit in shadow mode that would have refused the call.</summary>
    public void EachShadowRefusal<T>(T state, Action<T, string> tell)
    {
        for (var places = _shadowRefusals; places != 0; places &= places - 1)
            tell(state, _counters!.NameAt(System.Numerics.BitOperations.TrailingZeroCount(places)));
    }

    /// <summary>When the call was decided, milliseconds since 1970 UTC: names the quota period that it counts in.</summary>
    internal long DecidedUnixMs { get; }

    internal CounterSet? Counters => _counters;
}
