using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.Gateway.Ocelot;

/// <summary>What the files say, bound and validated, before it is compiled. Each part keeps its <see cref="JsonEntry"/> for errors that name the line.</summary>
internal sealed record OcelotConfiguration
{
    public required IReadOnlyList<OcelotRoute> Routes { get; init; }
    public IReadOnlyList<OcelotAggregate> Aggregates { get; init; } = [];

    /// <summary>Options of services that are called by their names.</summary>
    public IReadOnlyList<OcelotRoute> DynamicRoutes { get; init; } = [];

    /// <summary>Without routes, the first segment of a path names a service.</summary>
    public bool IsDynamic => (Routes.Count == 0 || RoutesArePublished) && !HasOldRoutes && Aggregates.Count == 0 && Global.Discovery is { Kind: not Discovery.DiscoveryKind.ServiceFabric };

    /// <summary>The files list routes under the name that they had before Ocelot 16: whoever wrote them did not mean to open every service by its name.</summary>
    public bool HasOldRoutes { get; init; }

    /// <summary>All routes are those that services published: the files have none.</summary>
    public bool RoutesArePublished { get; init; }

    public required OcelotGlobal Global { get; init; }

    /// <summary>By name, from the root <c>Tollgate</c> block.</summary>
    public required IReadOnlyDictionary<string, TokenProviderOptions> Providers { get; init; }

    /// <summary>Every file that was read, for the watcher.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>Files that it names, whose change is a change of the configuration: keys, schemas, certificates.</summary>
    public IEnumerable<string> FilesBeside =>
        Providers.Values.Select(provider => provider.JwksFile).OfType<string>()
            .Concat(Routes.SelectMany(route => route.Bodies.Files))
            .Concat(Routes.Concat(DynamicRoutes).Select(route => route.Tls).Append(Global.Tls).SelectMany(tls => tls?.Files ?? []));

    /// <summary>What is written and not done as its author may expect: said once in the log, so that nobody relies on it.</summary>
    public required IReadOnlyList<ConfigurationError> Warnings { get; init; }
}

/// <summary>A static route as it is written.</summary>
internal sealed record OcelotRoute
{
    public required JsonEntry Json { get; init; }
    public string UpstreamPathTemplate { get; init; } = "";
    public string DownstreamPathTemplate { get; init; } = "";

    /// <summary>Null = the call's own.</summary>
    public string? DownstreamScheme { get; init; }

    public IReadOnlyList<OcelotHost> DownstreamHostAndPorts { get; init; } = [];
    public OcelotLoadBalancer LoadBalancer { get; init; } = new();

    /// <summary>Upper case; empty = all.</summary>
    public IReadOnlyList<string> UpstreamHttpMethod { get; init; } = [];

    /// <summary>Null = any.</summary>
    public string? UpstreamHost { get; init; }

    public int Priority { get; init; } = 1;
    public bool RouteIsCaseSensitive { get; init; }
    public string? Key { get; init; }
    public OcelotAuthentication Authentication { get; init; } = new();

    /// <summary>Seconds; null = the global one.</summary>
    public int? Timeout { get; init; }

    public string? RequestIdKey { get; init; }
    public TollgateRouteOptions Tollgate { get; init; } = new();
    public TollgateDelivery Delivery { get; init; } = new();
    public TollgateBodies Bodies { get; init; } = new();
    public TollgateEdge Edge { get; init; } = TollgateEdge.None;
    public Transport.UpstreamTls? Tls { get; init; }

    /// <summary>Headers that a call must carry, by name.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> UpstreamHeaderTemplates { get; init; } = [];

    /// <summary>Claims and the values of which a token must have one, by the names as they are written, colons and all.</summary>
    public IReadOnlyList<KeyValuePair<string, IReadOnlyList<string>>> RouteClaimsRequirement { get; init; } = [];

    public OcelotSecurity? Security { get; init; }
    public OcelotTransforms Transforms { get; init; } = new();
    public OcelotRateLimit? RateLimit { get; init; }
    public OcelotQuality? Quality { get; init; }

    /// <summary>Upper case; null = the call's own.</summary>
    public string? DownstreamHttpMethod { get; init; }

    public string? ServiceName { get; init; }
    public string? ServiceNamespace { get; init; }
    public OcelotHttpHandler? Handler { get; init; }
    public OcelotCache? Cache { get; init; }

    /// <summary>Null = 1.1.</summary>
    public Version? DownstreamHttpVersion { get; init; }

    /// <summary>Null = that version or a lower one.</summary>
    public HttpVersionPolicy? DownstreamHttpVersionPolicy { get; init; }

    public bool DangerousAcceptAnyServerCertificateValidator { get; init; }

    /// <summary>Names of handlers that plug-ins have, outermost first.</summary>
    public IReadOnlyList<string> DelegatingHandlers { get; init; } = [];

    /// <summary>Free values for plug-ins.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Metadata { get; init; } = [];

    /// <summary>Whether no service stands behind the route: files or examples are its answers.</summary>
    public bool AnswersItself => Edge.ServesFiles || Bodies.Compiled?.Mock is not null;

    /// <summary>The placeholders that a call fills, by path, query and headers.</summary>
    public IEnumerable<string> Placeholders => TemplateText.Placeholders(UpstreamPathTemplate)
        .Concat(UpstreamHeaderTemplates.SelectMany(header => HeaderPatterns.Split(header.Value)).Where(piece => piece.IsPlaceholder).Select(piece => piece.Text));

    /// <summary>The first placeholder of the downstream path that neither these nor the route's claims fill; null = there is none.</summary>
    public string? Unfilled(IEnumerable<string> filled)
    {
        if (!TemplateText.BracesMatch(DownstreamPathTemplate)) return null;
        var known = filled.Concat(Transforms.Path.Select(claim => claim.Target)).ToHashSet(StringComparer.Ordinal);
        return TemplateText.Placeholders(DownstreamPathTemplate).FirstOrDefault(name => !known.Contains(name));
    }

    /// <summary>What the route is called in usage and metrics.</summary>
    public string Name => Key ?? UpstreamPathTemplate;

    /// <summary>What tells the route from all others, in this and in the next configuration.</summary>
    public string Identity => string.Join('|', [
        string.Join(',', UpstreamHttpMethod), UpstreamPathTemplate, UpstreamHost, .. UpstreamHeaderTemplates.Select(header => header.ToString())]);

    /// <summary>Whether a global option is for this route: one that names no routes is for all.</summary>
    public bool IsAmong(IReadOnlyList<string> routeKeys) => routeKeys.Count == 0 || Key is not null && routeKeys.Contains(Key);
}

/// <param name="Port">0 = the scheme's own.</param>
internal readonly record struct OcelotHost(string Host, int Port)
{
    /// <summary>Its share of the calls, beside the others'.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>A higher number has calls only while no host of a lower one is well.</summary>
    public int Priority { get; init; }
}

/// <summary><c>LoadBalancerOptions</c>, as written; null = not written.</summary>
internal sealed record OcelotLoadBalancer
{
    public JsonEntry? Json { get; init; }
    public string? Type { get; init; }
    public string? Key { get; init; }
    public long? ExpiryMs { get; init; }
    public IReadOnlyList<string> RouteKeys { get; init; } = [];
}

/// <summary><c>AuthenticationOptions</c> of a route or of the whole file.</summary>
internal sealed class OcelotAuthentication
{
    public JsonEntry? Json { get; init; }

    /// <summary><c>AuthenticationProviderKey</c> first, then <c>AuthenticationProviderKeys</c>.</summary>
    public IReadOnlyList<string> ProviderKeys { get; init; } = [];

    public IReadOnlyList<string> AllowedScopes { get; init; } = [];
    public bool? AllowAnonymous { get; init; }

    /// <summary>Of the global one: the routes that it is for; empty = all.</summary>
    public IReadOnlyList<string> RouteKeys { get; init; } = [];
}

/// <summary><c>"Tollgate": { … }</c> in a route.</summary>
internal sealed class TollgateRouteOptions
{
    public string? Product { get; init; }
    public IReadOnlyList<string> Scopes { get; init; } = [];
    public long Units { get; init; } = 1;

    /// <summary>Null = answers are not kept by their own headers.</summary>
    public Cache.CacheRule? Cache { get; init; }

    /// <summary>Query parameter in which a key may come; null = none.</summary>
    public string? KeyQuery { get; init; }

    /// <summary>For whom tokens must be: one of these; empty = for whom their provider says.</summary>
    public IReadOnlyList<string> Audiences { get; init; } = [];

    /// <summary>The caller's key or token goes on to the upstream.</summary>
    public bool ForwardCredentials { get; init; }

    /// <summary>The upstream gets a signed word on who calls.</summary>
    public bool ConsumerToken { get; init; }
}

/// <summary><c>GlobalConfiguration</c>.</summary>
internal sealed class OcelotGlobal
{
    public JsonEntry? Json { get; init; }
    public string? BaseUrl { get; init; }
    public TollgateEdge Edge { get; init; } = TollgateEdge.None;
    public Transport.UpstreamTls? Tls { get; init; }
    public int? Timeout { get; init; }
    public string? RequestIdKey { get; init; }
    public OcelotAuthentication Authentication { get; init; } = new();
    public OcelotSecurity? Security { get; init; }
    public OcelotTransforms Transforms { get; init; } = new();
    public OcelotRateLimit? RateLimit { get; init; }
    public OcelotQuality? Quality { get; init; }
    public OcelotLoadBalancer LoadBalancer { get; init; } = new();
    public TollgateDelivery Delivery { get; init; } = new();
    public OcelotHttpHandler? Handler { get; init; }
    public OcelotCache? Cache { get; init; }
    public IReadOnlyList<KeyValuePair<string, string>> Metadata { get; init; } = [];

    /// <summary>Where services are looked for; null = nowhere.</summary>
    public Discovery.DiscoveryOptions? Discovery { get; init; }

    /// <summary>Of dynamic routes, as are the two after it.</summary>
    public string? DownstreamScheme { get; init; }

    public Version? DownstreamHttpVersion { get; init; }
    public HttpVersionPolicy? DownstreamHttpVersionPolicy { get; init; }

    /// <summary>The gateway's own refusals have Ocelot's status codes.</summary>
    public bool HasOcelotCodes { get; init; }
}

/// <summary>Where tokens of one kind come from: exactly one of a shared secret, an authority, a file of keys or an endpoint to ask.</summary>
internal sealed record TokenProviderOptions
{
    public required string Name { get; init; }
    public string? HS256Secret { get; init; }
    public string? Authority { get; init; }

    /// <summary>Full path of a JSON Web Key Set (RFC 7517 §5).</summary>
    public string? JwksFile { get; init; }

    public string? Issuer { get; init; }
    public string? Audience { get; init; }

    /// <summary>Its access tokens say that they are (<c>at+jwt</c>), and nothing else is taken for one.</summary>
    public bool AccessTokensOnly { get; init; }

    /// <summary>How to ask it about opaque tokens; null = it has none.</summary>
    public Policy.Credentials.IntrospectionOptions? Introspection { get; init; }
}
