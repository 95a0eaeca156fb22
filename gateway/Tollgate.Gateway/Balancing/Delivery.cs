namespace Tollgate.Gateway.Balancing;

/// <summary>How a route's calls are brought to a host: how often it is tried, how long it is waited, and who has a share or a copy of them.</summary>
internal sealed record Delivery
{
    public static Delivery Default { get; } = new();

    public RetryRule Retry { get; init; } = new();

    /// <summary>Null = one host is asked at a time.</summary>
    public HedgeRule? Hedge { get; init; }

    /// <summary>To take a connection; 0 = ten seconds.</summary>
    public int ConnectMs { get; init; }

    /// <summary>How long a body may stand still; 0 = an hour.</summary>
    public int ActivityMs { get; init; }

    /// <summary>From the call's arrival to the last byte of its answer; 0 = as long as it flows.</summary>
    public int TotalMs { get; init; }

    public Canary? Canary { get; init; }
    public Mirror? Mirror { get; init; }
}

/// <summary>
/// When a call is sent once more. One that no host took is sent to the next, whatever it is; one whose connection was lost only if its method is idempotent
/// (RFC 9110 §9.2.2) and its body can be sent again.
/// </summary>
internal sealed record RetryRule
{
    /// <summary>Tries in all; 0 = every host once.</summary>
    public int Attempts { get; init; }

    /// <summary>Answers after which another host is tried.</summary>
    public EquatableStatuses Statuses { get; init; } = EquatableStatuses.None;

    /// <summary>How long one try may take; 0 = as long as the call. A try that takes longer is given up for the next.</summary>
    public int AttemptMs { get; init; }

    /// <summary>Before each further try.</summary>
    public int WaitMs { get; init; }

    /// <summary>How much of a body is kept for another try.</summary>
    public int BodyBytes { get; init; } = 65_536;

    /// <summary>The author says that calls of the route may be sent twice, whatever their method.</summary>
    public bool AllMethods { get; init; }

    /// <summary>Tries that answers and time-outs may cost, beyond the first ones.</summary>
    public RetryBudget Budget { get; init; } = new(20);

    public int AttemptsOn(int hosts) => Attempts > 0 ? Attempts : Math.Min(hosts, 16);

    public bool Covers(string method) => AllMethods || IsIdempotent(method);

    /// <summary>Whether being done twice is the same as once (RFC 9110 §9.2.2).</summary>
    public static bool IsIdempotent(string method) => method is "GET" or "HEAD" or "OPTIONS" or "PUT" or "DELETE" or "TRACE";
}

/// <param name="AfterMs">An answer that is not there by then is also asked of another host; the first good one counts.</param>
/// <param name="Most">How many hosts beyond the first.</param>
internal sealed record HedgeRule(int AfterMs, int Most);

/// <summary>Part of a route's calls goes to other hosts.</summary>
internal sealed class Canary(Upstream upstream, CanaryRule rule)
{
    public Upstream Upstream { get; } = upstream;
    public CanaryRule Rule { get; } = rule;

    public bool Takes(in Placement call)
    {
        if (Rule.Header is { } header && call.Headers?.Header(header) is { } value) return Rule.HeaderValue is null || value.Equals(Rule.HeaderValue, StringComparison.OrdinalIgnoreCase);
        if (Rule.Consumers.Length > 0 && call.Consumer is { } consumer && Array.IndexOf(Rule.Consumers, consumer) >= 0) return true;
        if (Rule.TenThousandths == 0) return false;
        if (Rule.TenThousandths >= 10_000) return true;
        if (!Rule.ByConsumer) return Random.Shared.Next(10_000) < Rule.TenThousandths;

        // The same caller always gets the same side, on every gateway.
        return HashRing.HashOf(in call) is { } hash && hash % 10_000 < Rule.TenThousandths;
    }
}

/// <param name="TenThousandths">Share of the calls, or of the callers.</param>
/// <param name="Header">A call with this header goes to the canary if its value is the one named, whatever the share; null = none.</param>
/// <param name="HeaderValue">Null = any.</param>
/// <param name="Consumers">Names of applications whose calls all go to the canary.</param>
internal sealed record CanaryRule(int TenThousandths, bool ByConsumer, string? Header, string? HeaderValue, string[] Consumers);

/// <summary>Other hosts get a copy of a route's calls. Nobody waits for them, and what they answer is thrown away.</summary>
/// <param name="MostAtOnce">Copies under way; what comes beyond is not copied.</param>
internal sealed record Mirror(Upstream Upstream, int TenThousandths, int MostAtOnce, int BodyBytes, int TimeoutMs)
{
    private int _running;

    /// <summary>Whether this call is copied. Who takes a place gives it back by <see cref="Leave"/>.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _running) <= MostAtOnce) return true;
        Interlocked.Decrement(ref _running);
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _running);

    public bool Wants() => TenThousandths >= 10_000 || Random.Shared.Next(10_000) < TenThousandths;
}
