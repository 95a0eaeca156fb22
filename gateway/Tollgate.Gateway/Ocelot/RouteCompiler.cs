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
/// Compiles what the files say into what is in force. Keeps limits, circuits, upstreams and token providers that a new configuration leaves as they were, and with them
/// their counts, turns and keys. Used by one thread at a time.
/// </summary>
internal sealed class RouteCompiler : IDisposable
{
    private const int DefaultTimeoutSeconds = 90;

    private readonly ProductDocuments? _documents;
    private readonly TokenProviders _providers;
    private readonly UpstreamCompiler _upstreams;
    private readonly TransportPool _transports;
    private PluginSet _plugins;
    private readonly List<ConfigurationError> _warnings = [];
    private DynamicRouteTable? _dynamic;
    private Dictionary<string, RateLimit> _rateLimits = [];
    private Dictionary<string, CircuitBreaker> _circuits = [];

    /// <param name="documents">The products' own; null = none is known.</param>
    public RouteCompiler(TimeProvider time, ILoggerFactory loggers, PluginSet plugins, ProductDocuments? documents = null)
    {
        (_documents, _plugins) = (documents, plugins);
        _providers = new TokenProviders(time, loggers);
        _upstreams = new UpstreamCompiler(Warn) { Plugins = plugins };
        _transports = new TransportPool { Plugins = plugins };
    }

    /// <summary>Folder in which what token issuers last said is kept for the next start; null = it is not.</summary>
    public string? IssuersKeptIn
    {
        init => _providers.IssuersKeptIn = value;
    }

    /// <summary>The upstreams of the routes that were compiled last, with the routes' names.</summary>
    public IReadOnlyCollection<(string Route, Upstream Upstream)> Upstreams => _upstreams.InForce;

    /// <summary>What the configuration that was compiled last names and no plug-in has.</summary>
    public IReadOnlyList<ConfigurationError> Warnings => _warnings;

    /// <summary>Other plug-ins have the names from the next configuration on.</summary>
    public void Use(PluginSet plugins) => _upstreams.Plugins = _transports.Plugins = _plugins = plugins;

    /// <param name="builtIn">Providers beside those of the files: the product's own identity service.</param>
    /// <param name="services">Where services run; null = nobody is asked.</param>
    public RouteTable Compile(OcelotConfiguration configuration, IReadOnlyList<TokenProviderOptions> builtIn, ServiceDirectory? services = null)
    {
        Func<ServiceName, IReadOnlyList<ServiceHost>> hostsOf = services is null ? _ => [] : services.HostsOf;
        var resolved = configuration.Routes.Select(route => OcelotDiscovery.Resolve(route, configuration.Global, hostsOf)).ToArray();
        var providers = _providers.Compile(configuration, builtIn);
        var parts = new Parts(configuration.Global, providers);
        _upstreams.Begin();
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
            (_rateLimits, _circuits) = (parts.RateLimits, parts.Circuits);
            _upstreams.Settle();
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
        _providers.Dispose();
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
            Upstream = _upstreams.Compile(route, global, delivery),
            Delivery = _upstreams.Compile(route, delivery),
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
        route.Bodies is { IsOfProduct: true, Compiled: { } bodies } && _documents is not null ? bodies with { Document = _documents.Of(route.Tollgate.Product!) } : route.Bodies.Compiled;

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

    private void Warn(ConfigurationError warning)
    {
        if (!_warnings.Contains(warning)) _warnings.Add(warning);
    }

    /// <summary>What the routes of one configuration share while it is compiled.</summary>
    private sealed record Parts(OcelotGlobal Global, Dictionary<string, TokenProvider> Providers)
    {
        public Dictionary<string, CircuitBreaker> Circuits { get; } = new(StringComparer.Ordinal);
        public Dictionary<string, RateLimit> RateLimits { get; } = new(StringComparer.Ordinal);
    }
}
