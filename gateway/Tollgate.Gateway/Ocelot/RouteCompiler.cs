using System.Net;
using Microsoft.Extensions.Logging;
using Tollgate.Gateway.Aggregates;
using Tollgate.Gateway.Balancing;
using Tollgate.Gateway.Bodies;
using Tollgate.Gateway.Discovery;
using Tollgate.Gateway.Plugins;
using Tollgate.Gateway.Policy.Credentials;
using Tollgate.Gateway.Policy.FileLimits;
using Tollgate.Gateway.Policy.Routing;
using Tollgate.Gateway.Policy.Transforms;
using Tollgate.Gateway.Transport;

namespace Tollgate.Gateway.Ocelot;

/// <summary>
/// Compiles what the files say into what is in force. Keeps upstreams and token providers that a new configuration leaves as they were, and with them
/// their turns and their keys. Used by one thread at a time.
/// </summary>
internal sealed class RouteCompiler(TimeProvider time, ILoggerFactory loggers, PluginSet plugins, ProductDocuments? documents = null) : IDisposable
{
    private const int DefaultTimeoutSeconds = 90;

    private readonly TransportPool _transports = new() { Plugins = plugins };
    private PluginSet _plugins = plugins;
    private readonly List<ConfigurationError> _warnings = [];
    private DynamicRouteTable? _dynamic;
    private Dictionary<string, Upstream> _upstreams = [];
    private List<(string Route, Upstream Upstream)> _inForce = [];
    private Dictionary<string, RateLimit> _rateLimits = [];
    private Dictionary<string, CircuitBreaker> _circuits = [];
    private readonly Dictionary<string, StickySessions> _sessions = [];
    private Dictionary<TokenProviderOptions, (TokenProvider Provider, IDisposable? Keys, string Content)> _providers = [];

    /// <summary>Folder in which what token issuers last said is kept for the next start; null = it is not.</summary>
    public string? IssuersKeptIn { get; init; }

    /// <summary>The upstreams of the routes that were compiled last, with the routes' names.</summary>
    public IReadOnlyCollection<(string Route, Upstream Upstream)> Upstreams => _inForce;

    /// <summary>What the configuration that was compiled last names and no plug-in has.</summary>
    public IReadOnlyList<ConfigurationError> Warnings => _warnings;

    /// <summary>Other plug-ins have the names from the next configuration on.</summary>
    public void Use(PluginSet plugins) => _transports.Plugins = _plugins = plugins;

    /// <param name="builtIn">Providers beside those of the files: the product's own identity service.</param>
    /// <param name="services">Where services run; null = nobody is asked.</param>
    public RouteTable Compile(OcelotConfiguration configuration, IReadOnlyList<TokenProviderOptions> builtIn, ServiceDirectory? services = null)
    {
        Func<ServiceName, IReadOnlyList<ServiceHost>> hostsOf = services is null ? _ => [] : services.HostsOf;
        var resolved = configuration.Routes.Select(route => OcelotDiscovery.Resolve(route, configuration.Global, hostsOf)).ToArray();
        var providers = CompileProviders(configuration, builtIn);
        var parts = new Parts(configuration.Global, providers);
        _inForce = [];
        _warnings.Clear();
        try
        {
            var routes = resolved.Select(route => Compile(route, parts)).ToArray();
            var aggregates = configuration.Aggregates.Select(aggregate => Compile(aggregate, resolved, parts)).ToArray();
            var table = new RouteTable([.. routes, .. aggregates])
            {
                Dynamic = configuration.IsDynamic && services is not null ? DynamicRoutesOf(configuration, services, parts) : null,
                HasOcelotCodes = configuration.Global.HasOcelotCodes,
            };
            (_upstreams, _rateLimits, _circuits) = (parts.Upstreams, parts.RateLimits, parts.Circuits);
            _transports.Settle();
            return table;
        }
        catch
        {
            _transports.Forget();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var (_, keys, _) in _providers.Values) keys?.Dispose();
        _providers.Clear();
        _transports.Dispose();
    }

    // One table for all configurations with the same directory: a call that waits for its service finds it there.
    private DynamicRouteTable DynamicRoutesOf(OcelotConfiguration configuration, ServiceDirectory services, Parts parts)
    {
        _dynamic ??= new DynamicRouteTable(services);
        _dynamic.Use(OcelotDiscovery.ServicesOf(configuration).Concat(services.Asked).Distinct().Select(service => KeyValuePair.Create(
            service.ToString(), Compile(OcelotDiscovery.Resolve(OcelotDiscovery.DynamicRoute(service, configuration), configuration.Global, services.HostsOf), parts))));
        return _dynamic;
    }

    private Route Compile(OcelotRoute route, Parts parts)
    {
        var template = new UpstreamTemplate(route.UpstreamPathTemplate, route.RouteIsCaseSensitive);
        var headers = HeadersOf(route);
        return Compile(route, template, headers, headers?.Placeholders ?? [], parts).Route;
    }

    // Each member is compiled once more, against the aggregate's template: the aggregate's placeholders fill its downstream template.
    private Route Compile(OcelotAggregate aggregate, IReadOnlyList<OcelotRoute> routes, Parts parts)
    {
        var face = aggregate.Face;
        var template = new UpstreamTemplate(face.UpstreamPathTemplate, face.RouteIsCaseSensitive);
        var headers = HeadersOf(face);
        if (aggregate.Aggregator is { } missing && _plugins.Aggregator(missing) is null)
            Warn(face.Json.Error("Aggregator", $"no plug-in has the aggregator \"{missing}\": calls are answered with 404."));
        var members = aggregate.RouteKeys.Select((key, place) =>
        {
            var config = place == 0 ? null : aggregate.Configs.FirstOrDefault(config => config.RouteKey == key);
            string[] fillings = [.. headers?.Placeholders ?? [], .. config is null || template.Placeholders.Contains(config.Parameter) ? Array.Empty<string>() : [config.Parameter]];
            var (route, placeholders) = Compile(routes.First(route => route.Key == key), template, null, fillings, parts);
            var needed = placeholders.Length > template.Placeholders.Length || config is not null ? placeholders.Length : 0;
            return new AggregateMember(key, route, config?.Path, config is null ? 0 : Array.IndexOf(placeholders, config.Parameter), needed);
        });
        return new Route
        {
            Name = face.Name,
            Template = template,
            Downstream = new DownstreamTemplate("/", template),
            Methods = new MethodSet(face.UpstreamHttpMethod),
            Host = face.UpstreamHost,
            Headers = headers,
            Priority = face.Priority,
            Upstream = new Upstream([]),
            Product = face.Tollgate.Product,
            Scopes = [.. face.Tollgate.Scopes],
            Units = face.Tollgate.Units,
            Providers = face.Tollgate.Product is null ? [] : [.. parts.Providers.Values],
            Edge = TollgateEdge.Merge(face.Edge, parts.Global.Edge),
            Aggregate = new AggregateRule
            {
                Members = [.. members],
                Aggregator = aggregate.Aggregator is { } name ? _plugins.Aggregator(name) : null,
                Budget = _plugins.Budget,
                AggregatorName = aggregate.Aggregator ?? "",
                LacksAggregator = aggregate.Aggregator is { } wanted && _plugins.Aggregator(wanted) is null,
            },
        };
    }

    private static HeaderPatterns? HeadersOf(OcelotRoute route) =>
        route.UpstreamHeaderTemplates.Count == 0 ? null : new HeaderPatterns(route.UpstreamHeaderTemplates, route.RouteIsCaseSensitive);

    /// <param name="fillings">Names of placeholders whose values do not stand in path or query.</param>
    private (Route Route, string[] Placeholders) Compile(OcelotRoute route, UpstreamTemplate template, HeaderPatterns? headers, string[] fillings, Parts parts)
    {
        var global = parts.Global;
        var quality = OcelotQuality.Merge(route, global);
        var delivery = route.Delivery.Or(global.Delivery);
        fillings = [.. fillings, .. route.Transforms.Path.Select(path => path.Target).Except([.. template.Placeholders, .. fillings])];
        string[] placeholders = [.. template.Placeholders, .. fillings];
        var authentication = Merge(route, global);
        var named = authentication.ProviderKeys.Select(key => parts.Providers[key]).ToArray();
        var compiled = new Route
        {
            Name = route.Name,
            Template = template,
            Downstream = new DownstreamTemplate(route.DownstreamPathTemplate, template, fillings),
            Methods = new MethodSet(route.UpstreamHttpMethod),
            Host = route.UpstreamHost,
            Headers = headers,
            Priority = route.Priority,
            Upstream = UpstreamOf(route, global, delivery, parts.Upstreams),
            Delivery = DeliveryOf(route, delivery, parts.Upstreams),
            Bodies = BodiesOf(route),
            TimeoutMs = Math.Min(quality.TimeoutMs ?? int.MaxValue, checked((route.Timeout ?? global.Timeout ?? DefaultTimeoutSeconds) * 1000)),
            Circuit = CircuitOf(route, quality, parts.Circuits),
            Edge = TollgateEdge.Merge(route.Edge, global.Edge),
            Product = route.Tollgate.Product,
            Scopes = [.. route.Tollgate.Scopes],
            Units = route.Tollgate.Units,
            KeyQuery = route.Tollgate.KeyQuery,
            Audiences = [.. route.Tollgate.Audiences],
            ForwardsCredentials = route.Tollgate.ForwardCredentials,
            TellsConsumer = route.Tollgate.ConsumerToken,
            Providers = named.Length == 0 && route.Tollgate.Product is not null ? [.. parts.Providers.Values] : named,
            DemandsToken = named.Length > 0 && authentication.AllowAnonymous != true,
            AllowedScopes = [.. authentication.AllowedScopes],
            Claims = route.RouteClaimsRequirement.Count == 0 ? null : new ClaimRequirements(route.RouteClaimsRequirement, placeholders),
            RateLimit = RateLimitOf(route, global, parts.RateLimits),
            ClaimTransforms = ClaimTransformsOf(route.Transforms, placeholders),
            RequestHeaders = OcelotTransforms.Compile(route.Transforms.Upstream, global.Transforms.Upstream, global.BaseUrl),
            AnswerHeaders = OcelotTransforms.Compile(route.Transforms.Downstream, global.Transforms.Downstream, global.BaseUrl),
            Method = route.DownstreamHttpMethod is null ? null : HttpMethod.Parse(route.DownstreamHttpMethod),
            Addresses = AddressesOf(route.Security is { IsEmpty: false } ? route.Security : global.Security),
            RequestIdKey = route.RequestIdKey ?? global.RequestIdKey,
            Transport = TransportOf(route, global, delivery.Timeouts?.ActivityMs ?? 0),
            Cache = OcelotCache.Merge(route, global),
            IsUnserved = route.ServiceName is not null && route.DownstreamHostAndPorts.Count == 0,
        };
        return (compiled, placeholders);
    }

    // Null where the engine's own client does the same.
    private RouteTransport? TransportOf(OcelotRoute route, OcelotGlobal global, int activityMs)
    {
        var rule = OcelotHttpHandler.Merge(route, global);
        if (_plugins.HandlersOf(route.DelegatingHandlers).ToArray() is { Length: > 0 } handlers) rule = rule with { Handlers = string.Join('\n', handlers), Generation = _plugins.Generation };
        var traces = OcelotHttpHandler.Traces(route, global);
        foreach (var name in route.DelegatingHandlers)
            if (!_plugins.HasHandler(name))
                Warn(route.Json.Error("DelegatingHandlers", $"no plug-in has the handler \"{name}\": it takes no part."));
        var version = route.DownstreamHttpVersion ?? HttpVersion.Version11;
        var policy = route.DownstreamHttpVersionPolicy ?? HttpVersionPolicy.RequestVersionOrLower;
        var isUsual = rule == TransportRule.Default && version == HttpVersion.Version11 && policy == HttpVersionPolicy.RequestVersionOrLower && !traces;
        return isUsual ? null : new RouteTransport(
            _transports.Of(rule), version, policy, activityMs, traces, rule.Handlers.Length > 0 ? MetadataOf(route, global) : null);
    }

    private RouteBodies? BodiesOf(OcelotRoute route) =>
        route.Bodies is { IsOfProduct: true, Compiled: { } bodies } && documents is not null ? bodies with { Document = documents.Of(route.Tollgate.Product!) } : route.Bodies.Compiled;

    private static Dictionary<string, string> MetadataOf(OcelotRoute route, OcelotGlobal global)
    {
        var metadata = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in global.Metadata.Concat(route.Metadata)) metadata[name] = value;
        return metadata;
    }

    // Property by property, the route before the global one; the global one only for the routes that it names, if it names any.
    private static OcelotAuthentication Merge(OcelotRoute route, OcelotGlobal global)
    {
        var own = route.Authentication;
        var shared = global.Authentication;
        if (shared.RouteKeys.Count > 0 && (route.Key is null || !shared.RouteKeys.Contains(route.Key))) return own;
        return new OcelotAuthentication
        {
            ProviderKeys = own.ProviderKeys.Count > 0 ? own.ProviderKeys : shared.ProviderKeys,
            AllowedScopes = own.AllowedScopes.Count > 0 ? own.AllowedScopes : shared.AllowedScopes,
            AllowAnonymous = own.AllowAnonymous ?? shared.AllowAnonymous,
        };
    }

    private static AddressRules? AddressesOf(OcelotSecurity? security) =>
        security is null or { IsEmpty: true }
            ? null
            : new AddressRules(new AddressSet(security.Allowed), new AddressSet(security.Blocked), security.ExcludeAllowedFromBlocked);

    private RateLimit? RateLimitOf(OcelotRoute route, OcelotGlobal global, Dictionary<string, RateLimit> rateLimits)
    {
        if (OcelotRateLimit.Merge(route, global) is not { } rule) return null;
        var identity = string.Join('|', [
            string.Join(',', route.UpstreamHttpMethod), route.UpstreamPathTemplate, route.UpstreamHost, .. route.UpstreamHeaderTemplates.Select(header => header.ToString()),
            rule.ClientHeader, $"{rule.Limit} {rule.PeriodMs} {rule.WaitMs} {rule.Status} {rule.Tells}", rule.Message, .. rule.Free]);
        return rateLimits[identity] = _rateLimits.GetValueOrDefault(identity) ?? new RateLimit(rule);
    }

    private static ClaimTransforms? ClaimTransformsOf(OcelotTransforms transforms, string[] placeholders) =>
        !transforms.ReadsClaims
            ? null
            : new ClaimTransforms
            {
                ToClaims = transforms.Claims,
                ToHeaders = transforms.Headers,
                ToQuery = transforms.Query,
                ToPath = [.. transforms.Path.Select(path => (path, Array.IndexOf(placeholders, path.Target)))],
                Placeholders = placeholders.Length,
            };

    private CircuitBreaker? CircuitOf(OcelotRoute route, OcelotQuality quality, Dictionary<string, CircuitBreaker> circuits)
    {
        if (quality.Rule is not { } rule) return null;
        var identity = string.Join('|', [
            string.Join(',', route.UpstreamHttpMethod), route.UpstreamPathTemplate, route.UpstreamHost, .. route.UpstreamHeaderTemplates.Select(header => header.ToString()),
            rule.ToString(), .. route.DownstreamHostAndPorts.Select(host => host.ToString())]);
        return circuits[identity] = _circuits.GetValueOrDefault(identity) ?? new CircuitBreaker(rule);
    }

    private static OcelotLoadBalancer Merge(OcelotRoute route, OcelotLoadBalancer shared)
    {
        if (shared.RouteKeys.Count > 0 && (route.Key is null || !shared.RouteKeys.Contains(route.Key))) return route.LoadBalancer;
        return new OcelotLoadBalancer
        {
            Json = route.LoadBalancer.Type is null ? shared.Json : route.LoadBalancer.Json,
            Type = route.LoadBalancer.Type ?? shared.Type,
            Key = route.LoadBalancer.Key ?? shared.Key,
            ExpiryMs = route.LoadBalancer.ExpiryMs ?? shared.ExpiryMs,
        };
    }

    private StickySessions SessionsOf(OcelotLoadBalancer balancer)
    {
        var cookie = balancer.Key ?? ".AspNetCore.Session";
        if (!_sessions.TryGetValue(cookie, out var sessions)) _sessions.Add(cookie, sessions = new StickySessions(cookie));
        sessions.ExpiryMs = balancer.ExpiryMs ?? 1_200_000;
        return sessions;
    }

    private Upstream UpstreamOf(OcelotRoute route, OcelotGlobal global, TollgateDelivery delivery, Dictionary<string, Upstream> upstreams)
    {
        var balancer = Merge(route, global.LoadBalancer);
        var policy = balancer.Type?.ToLowerInvariant() switch
        {
            "noloadbalancer" => BalancingPolicy.First,
            "leastconnection" => BalancingPolicy.LeastCalls,
            "cookiestickysessions" => BalancingPolicy.Sticky,
            null or "roundrobin" => BalancingPolicy.Turns,
            _ when _plugins.HasChooser(balancer.Type) => BalancingPolicy.Custom,
            _ => Unknown(balancer),
        };
        var options = OptionsOf(delivery, policy);
        if (options.Policy == BalancingPolicy.Custom) options = options with { Chooser = new CustomChooser(balancer.Type!, _plugins.Generation, _plugins.MakeChooser(balancer.Type!)!, _plugins.Budget) };
        var sessions = options.Policy == BalancingPolicy.Sticky ? SessionsOf(balancer) : null;
        return UpstreamOf(route, "", route.DownstreamHostAndPorts, options, $"{balancer.Key}", sessions, upstreams);
    }

    private BalancingPolicy Unknown(OcelotLoadBalancer balancer)
    {
        Warn(balancer.Json!.Error("Type", $"\"{balancer.Type}\" is no balancer of this gateway or of a plug-in: the hosts take turns."));
        return BalancingPolicy.Turns;
    }

    private void Warn(ConfigurationError warning)
    {
        if (!_warnings.Contains(warning)) _warnings.Add(warning);
    }

    private static BalancingOptions OptionsOf(TollgateDelivery delivery, BalancingPolicy policy) => new()
    {
        Policy = delivery.LoadBalancing?.Policy ?? policy,
        Hash = delivery.LoadBalancing?.Hash,
        Cookie = delivery.LoadBalancing?.Cookie,
        SlowStartMs = delivery.LoadBalancing?.SlowStartMs ?? 0,
        Passive = delivery.Passive ?? new PassiveHealth(),
        Active = delivery.Active,
    };

    // The same words mean the same upstream, which keeps its turn and what it knows of its hosts.
    private Upstream UpstreamOf(OcelotRoute route, string part, IReadOnlyList<OcelotHost> hosts, BalancingOptions options, string sessionKey, StickySessions? sessions,
        Dictionary<string, Upstream> upstreams)
    {
        var scheme = route.DownstreamScheme switch { "ws" => "http", "wss" => "https", var other => other };
        var identity = string.Join('|', [
            part, string.Join(',', route.UpstreamHttpMethod), route.UpstreamPathTemplate, route.UpstreamHost, scheme, options.ToString(), sessionKey,
            .. route.ServiceName is null || part.Length > 0 ? hosts.Select(host => host.ToString()) : [$"{route.ServiceNamespace} {route.ServiceName}"]]);
        if (!upstreams.TryGetValue(identity, out var upstream))
        {
            Destination[] destinations = [.. hosts.Select(host => new Destination(host.Host, host.Port, scheme, host.Weight, host.Priority))];
            if (!_upstreams.TryGetValue(identity, out upstream)) upstream = new Upstream(destinations, options, sessions);
            else if (route.ServiceName is not null && part.Length == 0 && !upstream.Destinations.Select(host => host.Authority).SequenceEqual(destinations.Select(host => host.Authority))) upstream.Replace(destinations);
            upstreams.Add(identity, upstream);
        }

        _inForce.Add((route.Name, upstream));
        return upstream;
    }

    private Delivery DeliveryOf(OcelotRoute route, TollgateDelivery delivery, Dictionary<string, Upstream> upstreams)
    {
        if (delivery is { Retry: null, Hedging: null, Timeouts: null, Canary: null, Mirror: null }) return Delivery.Default;
        return new Delivery
        {
            Retry = delivery.Retry?.Compile() ?? new RetryRule(),
            Hedge = delivery.Hedging,
            ConnectMs = delivery.Timeouts?.ConnectMs ?? 0,
            ActivityMs = delivery.Timeouts?.ActivityMs ?? 0,
            TotalMs = delivery.Timeouts?.TotalMs ?? 0,
            Canary = delivery.Canary is { } canary ? new Canary(UpstreamOf(route, "canary", canary.Hosts, OptionsOf(delivery, BalancingPolicy.Turns), "", null, upstreams), canary.Rule) : null,
            Mirror = delivery.Mirror is { } mirror
                ? new Mirror(UpstreamOf(route, "mirror", mirror.Hosts, new BalancingOptions(), "", null, upstreams), mirror.TenThousandths, mirror.MostAtOnce, mirror.BodyBytes, mirror.TimeoutMs)
                : null,
        };
    }

    private Dictionary<string, TokenProvider> CompileProviders(OcelotConfiguration configuration, IReadOnlyList<TokenProviderOptions> builtIn)
    {
        var compiled = new Dictionary<TokenProviderOptions, (TokenProvider Provider, IDisposable? Keys, string Content)>();
        var byName = new Dictionary<string, TokenProvider>(StringComparer.Ordinal);
        foreach (var options in configuration.Providers.Values.Concat(builtIn))
        {
            var content = options.JwksFile is null ? "" : File.ReadAllText(options.JwksFile);
            if (!_providers.TryGetValue(options, out var provider) || provider.Content != content)
                provider = Compile(options, content, configuration);
            compiled.TryAdd(options, provider);
            byName.TryAdd(options.Name, provider.Provider);
        }

        foreach (var (options, known) in _providers)
            if (!compiled.TryGetValue(options, out var kept) || !ReferenceEquals(kept.Provider, known.Provider))
                known.Keys?.Dispose();
        _providers = compiled;
        return byName;
    }

    private (TokenProvider Provider, IDisposable? Keys, string Content) Compile(TokenProviderOptions options, string content, OcelotConfiguration configuration)
    {
        TokenKeys? keys;
        try
        {
            keys = options switch
            {
                { HS256Secret: { } secret } => FixedTokenKeys.FromSecret(secret),
                { Authority: { } authority } => new AuthorityKeys(authority, time, loggers.CreateLogger<AuthorityKeys>(), IssuersKeptIn),
                { JwksFile: not null } => FixedTokenKeys.FromJwks(content),
                _ => null,
            };
        }
        catch (ArgumentException unusable)
        {
            throw new ConfigurationException([new ConfigurationError(
                options.JwksFile ?? configuration.Files[0], 1, $"Tollgate.Authentication.Providers.{options.Name}.JwksFile", unusable.Message)]);
        }

        var authorityKeys = keys as AuthorityKeys;
        var introspector = options.Introspection is { } ask
            ? new Introspector(ask, () => authorityKeys?.IntrospectionEndpoint, options.Issuer, options.Audience, time, loggers.CreateLogger<Introspector>())
            : null;
        return (new TokenProvider(options.Name, keys, options.Issuer, options.Audience, options.AccessTokensOnly, introspector), new Both(authorityKeys, introspector), content);
    }

    private sealed class Both(IDisposable? first, IDisposable? second) : IDisposable
    {
        public void Dispose()
        {
            first?.Dispose();
            second?.Dispose();
        }
    }

    /// <summary>What the routes of one configuration share while it is compiled.</summary>
    private sealed record Parts(OcelotGlobal Global, Dictionary<string, TokenProvider> Providers)
    {
        public Dictionary<string, Upstream> Upstreams { get; } = new(StringComparer.Ordinal);
        public Dictionary<string, CircuitBreaker> Circuits { get; } = new(StringComparer.Ordinal);
        public Dictionary<string, RateLimit> RateLimits { get; } = new(StringComparer.Ordinal);
    }
}
