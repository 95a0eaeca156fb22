using Tollgate.Gateway.Balancing;
using Tollgate.Gateway.Plugins;

namespace Tollgate.Gateway.Ocelot;

/// <summary>
/// Compiles where calls go and how a host is chosen. The same words mean the same upstream, which keeps its turn, its sessions and what it knows of its hosts.
/// Used by one thread at a time.
/// </summary>
internal sealed class UpstreamCompiler(Action<ConfigurationError> warn)
{
    private readonly Dictionary<string, StickySessions> _sessions = [];
    private Dictionary<string, Upstream> _upstreams = [];
    private Dictionary<string, Upstream> _next = [];
    private List<(string Route, Upstream Upstream)> _inForce = [];

    /// <summary>The upstreams of the routes that were compiled last, with the routes' names.</summary>
    public IReadOnlyCollection<(string Route, Upstream Upstream)> InForce => _inForce;

    /// <summary>Where balancers come from that no name of Ocelot's means.</summary>
    public required PluginSet Plugins { get; set; }

    public void Begin()
    {
        _inForce = [];
        _next = new(StringComparer.Ordinal);
    }

    /// <summary>The configuration that was compiled is in force.</summary>
    public void Settle() => _upstreams = _next;

    /// <summary>Where the calls of a route go.</summary>
    public Upstream Compile(OcelotRoute route, OcelotGlobal global, TollgateDelivery delivery)
    {
        var balancer = Merge(route, global.LoadBalancer);
        var policy = balancer.Type?.ToLowerInvariant() switch
        {
            "noloadbalancer" => BalancingPolicy.First,
            "leastconnection" => BalancingPolicy.LeastCalls,
            "cookiestickysessions" => BalancingPolicy.Sticky,
            "roundrobin" => BalancingPolicy.Turns,

            // Ocelot's own default for hosts that are written, which need not be equals; what discovery finds, or has weights, is there to be used.
            null => delivery is { LoadBalancing: null, Passive: null, Active: null } && route is { ServiceName: null, DownstreamHostAndPorts.Count: > 1 } && route.DownstreamHostAndPorts.All(host => host is { Weight: 1, Priority: 0 })
                ? BalancingPolicy.First
                : BalancingPolicy.Turns,
            _ when Plugins.HasChooser(balancer.Type) => BalancingPolicy.Custom,
            _ => Unknown(balancer),
        };
        var options = OptionsOf(delivery, policy);
        if (options.Policy == BalancingPolicy.Custom) options = options with { Chooser = new CustomChooser(balancer.Type!, Plugins.Generation, Plugins.MakeChooser(balancer.Type!)!, Plugins.Budget) };
        var sessions = options.Policy == BalancingPolicy.Sticky ? SessionsOf(balancer) : null;
        return UpstreamOf(route, "", route.DownstreamHostAndPorts, options, $"{balancer.Key}", sessions);
    }

    /// <summary>How they go there: tries, times, canaries, mirrors.</summary>
    public Delivery Compile(OcelotRoute route, TollgateDelivery delivery)
    {
        if (delivery is { Retry: null, Hedging: null, Timeouts: null, Canary: null, Mirror: null }) return Delivery.Default;
        return new Delivery
        {
            Retry = delivery.Retry?.Compile() ?? new RetryRule(),
            Hedge = delivery.Hedging,
            ConnectMs = delivery.Timeouts?.ConnectMs ?? 0,
            ActivityMs = delivery.Timeouts?.ActivityMs ?? 0,
            TotalMs = delivery.Timeouts?.TotalMs ?? 0,
            Canary = delivery.Canary is { } canary ? new Canary(UpstreamOf(route, "canary", canary.Hosts, OptionsOf(delivery, BalancingPolicy.Turns), "", null), canary.Rule) : null,
            Mirror = delivery.Mirror is { } mirror
                ? new Mirror(UpstreamOf(route, "mirror", mirror.Hosts, new BalancingOptions(), "", null), mirror.TenThousandths, mirror.MostAtOnce, mirror.BodyBytes, mirror.TimeoutMs)
                : null,
        };
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

    private BalancingPolicy Unknown(OcelotLoadBalancer balancer)
    {
        warn(balancer.Json!.Error("Type", $"\"{balancer.Type}\" is no balancer of this gateway or of a plug-in: the hosts take turns."));
        return BalancingPolicy.Turns;
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

    private Upstream UpstreamOf(OcelotRoute route, string part, IReadOnlyList<OcelotHost> hosts, BalancingOptions options, string sessionKey, StickySessions? sessions)
    {
        var scheme = route.DownstreamScheme switch { "ws" => "http", "wss" => "https", var other => other };
        var identity = string.Join('|', [
            part, string.Join(',', route.UpstreamHttpMethod), route.UpstreamPathTemplate, route.UpstreamHost, scheme, options.ToString(), sessionKey,
            .. route.ServiceName is null || part.Length > 0 ? hosts.Select(host => host.ToString()) : [$"{route.ServiceNamespace} {route.ServiceName}"]]);
        if (!_next.TryGetValue(identity, out var upstream))
        {
            Destination[] destinations = [.. hosts.Select(host => new Destination(host.Host, host.Port, scheme, host.Weight, host.Priority))];
            if (!_upstreams.TryGetValue(identity, out upstream)) upstream = new Upstream(destinations, options, sessions);
            else if (route.ServiceName is not null && part.Length == 0 && !upstream.Destinations.Select(host => host.Authority).SequenceEqual(destinations.Select(host => host.Authority))) upstream.Replace(destinations);
            _next.Add(identity, upstream);
        }

        _inForce.Add((route.Name, upstream));
        return upstream;
    }
}
