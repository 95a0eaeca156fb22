namespace Tollgate.Gateway.Cache;

/// <summary>How a route's answers are kept: for a fixed time, as Ocelot does, or as their own headers say (<see cref="Http"/>).</summary>
internal sealed record CacheRule
{
    /// <summary>What tells this route's answers from those of others for the same address.</summary>
    public string Scope { get; init; } = "";

    public long TtlMs { get; init; }

    /// <summary>Name under which the answers can be thrown away together.</summary>
    public string Region { get; init; } = "";

    /// <summary>Request header whose value tells answers apart; empty = none.</summary>
    public string Header { get; init; } = "";

    /// <summary>The request's body tells answers apart too.</summary>
    public bool HashesContent { get; init; }

    /// <summary>Null = Ocelot's way: every method and status, for <see cref="TtlMs"/>.</summary>
    public HttpCacheRule? Http { get; init; }
}

/// <summary>What a cache by RFC 9111 does where the answer's headers leave it open.</summary>
/// <param name="DefaultTtlMs">Of answers that say nothing of their freshness.</param>
/// <param name="MaxTtlMs">Null = as long as the answer says.</param>
/// <param name="StaleWhileRevalidateMs">Where the answer does not say it (RFC 5861 §3).</param>
/// <param name="StaleIfErrorMs">Where the answer does not say it (RFC 5861 §4).</param>
/// <param name="Tags">Of every answer, beside those in its own <c>Cache-Tag</c>.</param>
/// <param name="ObeysCallers">Whether <c>Cache-Control</c> of a request counts.</param>
internal sealed record HttpCacheRule(long DefaultTtlMs, long? MaxTtlMs, long StaleWhileRevalidateMs, long StaleIfErrorMs, string Tags, bool ObeysCallers);
