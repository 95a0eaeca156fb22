using Tollgate.Gateway.Balancing;

namespace Tollgate.Gateway.Policy.Routing;

/// <summary>A route as it is in force: everything about it that does not change from call to call.</summary>
internal sealed class Route
{
    /// <summary>What it is called in usage and metrics: its <c>Key</c>, else its upstream template.</summary>
    public required string Name { get; init; }

    public required UpstreamTemplate Template { get; init; }
    public required DownstreamTemplate Downstream { get; init; }
    public required MethodSet Methods { get; init; }

    /// <summary>Null = any.</summary>
    public string? Host { get; init; }

    /// <summary>Headers that a call must carry; null = none.</summary>
    public HeaderPatterns? Headers { get; init; }

    public int Priority { get; init; } = 1;
    public required Upstream Upstream { get; init; }
    public int TimeoutMs { get; init; } = 90_000;

    /// <summary>How calls are brought to a host: tries, time-outs, canary, mirror.</summary>
    public Delivery Delivery { get; init; } = Delivery.Default;

    /// <summary>Null = a plain route: no credential asked unless <see cref="Providers"/> say so, and nothing metered.</summary>
    public string? Product { get; init; }

    /// <summary>Scopes that a call of the product needs, all of them.</summary>
    public string[] Scopes { get; init; } = [];

    /// <summary>Query parameter in which a key may come; null = none.</summary>
    public string? KeyQuery { get; init; }

    /// <summary>For whom a token must be: one of these; empty = for whom its provider says.</summary>
    public string[] Audiences { get; init; } = [];

    /// <summary>Whether the caller's key or token goes on to the upstream of a product.</summary>
    public bool ForwardsCredentials { get; init; }

    /// <summary>Whether the upstream gets a signed word on who calls.</summary>
    public bool TellsConsumer { get; init; }

    /// <summary><c>WWW-Authenticate</c> for a token that lacks a scope (RFC 6750 §3.1): names the scopes that are needed. Null = none are.</summary>
    public string? ScopeChallenge => _scopeChallenge ??= (Product is null ? AllowedScopes : [.. Scopes, .. AllowedScopes]) is { Length: > 0 } needed
        ? $"Bearer realm=\"tollgate\", error=\"insufficient_scope\", scope=\"{string.Join(' ', needed.Where(IsScope))}\""
        : null;

    private string? _scopeChallenge;

    // RFC 6749 §3.3: what would break out of the quotes is no scope.
    private static bool IsScope(string text) => text.Length > 0 && text.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0 && text.AsSpan().IndexOfAny('"', '\\') < 0;

    /// <summary>What a call weighs.</summary>
    public long Units { get; init; } = 1;

    /// <summary>Token providers that the route accepts, in order.</summary>
    public Credentials.TokenProvider[] Providers { get; init; } = [];

    /// <summary>Whether a plain route demands a token.</summary>
    public bool DemandsToken { get; init; }

    /// <summary>Scopes of which a token needs at least one (<c>AllowedScopes</c>); empty = any token.</summary>
    public string[] AllowedScopes { get; init; } = [];

    /// <summary>Claims that a token must have; null = none asked. Met by nobody who has no token.</summary>
    public ClaimRequirements? Claims { get; init; }

    /// <summary>From where the route may be called; null = from anywhere.</summary>
    public AddressRules? Addresses { get; init; }

    /// <summary>What of a token is sent on; null = nothing. Asks for a token, save of preflights.</summary>
    public Transforms.ClaimTransforms? ClaimTransforms { get; init; }

    /// <summary>Changes to the headers that are sent on.</summary>
    public Transforms.HeaderTransform[] RequestHeaders { get; init; } = [];

    /// <summary>Changes to the headers of the upstream's answers.</summary>
    public Transforms.HeaderTransform[] AnswerHeaders { get; init; } = [];

    /// <summary>The method that is sent on; null = the call's own.</summary>
    public HttpMethod? Method { get; init; }

    /// <summary>The file's own limit, which no credential is needed for; null = none.</summary>
    public FileLimits.RateLimit? RateLimit { get; init; }

    /// <summary>Gives the service a rest when it fails; null = never.</summary>
    public CircuitBreaker? Circuit { get; init; }

    /// <summary>Header that carries the caller's own request id upstream, beside <c>X-Request-Id</c>; null = none.</summary>
    public string? RequestIdKey { get; init; }

    /// <summary>What it asks of callers and gives to their programs beyond the call; null = nothing.</summary>
    public Edge.RouteEdge? Edge { get; init; }

    /// <summary>What its calls are sent with; null = what all the others use.</summary>
    public Tollgate.Gateway.Transport.RouteTransport? Transport { get; init; }

    /// <summary>How its answers are kept; null = not at all.</summary>
    public Tollgate.Gateway.Cache.CacheRule? Cache { get; init; }

    /// <summary>Of what other routes its answers are made; null = it has a service of its own.</summary>
    public Tollgate.Gateway.Aggregates.AggregateRule? Aggregate { get; init; }

    /// <summary>No host is known for its service at the moment.</summary>
    public bool IsUnserved { get; init; }

    /// <summary>What is done with bodies; null = they pass as they come.</summary>
    public Bodies.RouteBodies? Bodies { get; init; }

    /// <summary>Whether an admitted call is simply forwarded.</summary>
    public bool IsPlain => Cache is null && Bodies is null && Aggregate is null && !IsUnserved && RequestIdKey is null;

    /// <summary>Place in the order of all routes; the lowest that matches wins.</summary>
    public int Rank { get; set; }
}
