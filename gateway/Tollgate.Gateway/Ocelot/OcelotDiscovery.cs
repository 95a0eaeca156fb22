using Tollgate.Gateway.Discovery;

namespace Tollgate.Gateway.Ocelot;

/// <summary><c>ServiceDiscoveryProvider</c> of a file, and the routes that need it.</summary>
internal static class OcelotDiscovery
{
    /// <summary>Stands for the rest of the path on routes that are made for a service.</summary>
    private const string Rest = "~rest";

    public static DiscoveryOptions? Read(JsonEntry global, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        if (global.ReadObject("ServiceDiscoveryProvider", errors) is not { } json) return null;
        var type = Text(json, "Type", errors);
        var host = Text(json, "Host", errors);
        var port = (int)(json.ReadNumber("Port", 0, 65535, errors) ?? 0);
        if (type is null && host is null && port == 0) return null;

        // Ocelot compares with the name of the class, and older documentation writes that out.
        DiscoveryKind? kind = (type ?? "Consul").ToLowerInvariant().Replace("servicediscoveryprovider", "", StringComparison.Ordinal) switch
        {
            "consul" or "pollconsul" => DiscoveryKind.Consul,
            "dns" or "dnssrv" => DiscoveryKind.Dns,
            "servicefabric" => DiscoveryKind.ServiceFabric,
            "kube" or "pollkube" or "watchkube" or "kubernetes" => DiscoveryKind.Kubernetes,
            "eureka" => DiscoveryKind.Eureka,
            _ => null,
        };
        if (kind is null)
        {
            errors.Add(json.Error("Type", $"\"{type}\" is none of Consul, PollConsul, Dns, ServiceFabric, Kube, PollKube, WatchKube and Eureka (a provider of your own answers by the interface of one of them)."));
            kind = DiscoveryKind.Dns;    // stands in, so that no route is blamed
        }

        var scheme = Text(json, "Scheme", errors)?.ToLowerInvariant() ?? (kind == DiscoveryKind.Kubernetes && port is 443 or 6443 ? "https" : "http");
        if (scheme is not ("http" or "https")) errors.Add(json.Error("Scheme", $"\"{scheme}\" is neither http nor https."));
        if (host is not null && Uri.CheckHostName(host) == UriHostNameType.Unknown) errors.Add(json.Error("Host", $"\"{host}\" is not a host name or address."));
        if (json["ConfigurationKey"] is { } key) warnings.Add(key.Error("names a configuration that is kept in Consul: this gateway reads files, and routes published to it."));
        var polls = type?.StartsWith("Poll", StringComparison.OrdinalIgnoreCase) == true;
        var interval = json.ReadNumber("PollingInterval", int.MinValue, int.MaxValue, errors) is { } ms and > 0 ? ms : (long?)null;
        return new DiscoveryOptions(
            kind.Value, scheme, kind == DiscoveryKind.Dns ? host : host ?? "localhost",
            port > 0 ? port : kind switch { DiscoveryKind.Consul => 8500, DiscoveryKind.Eureka => 8761, DiscoveryKind.Kubernetes => 443, DiscoveryKind.ServiceFabric => 19081, _ => 0 },
            Text(json, "Token", errors), polls ? interval ?? 1000 : kind == DiscoveryKind.Consul ? null : interval, Text(json, "Namespace", errors));
    }

    public static void Validate(
        IReadOnlyList<OcelotRoute> routes, IReadOnlyList<OcelotRoute> dynamicRoutes, OcelotGlobal global, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        foreach (var entry in dynamicRoutes)
        {
            if (entry.ServiceName is null) errors.Add(entry.Json.Error("ServiceName", "the name of a service is needed here."));
            if (routes.Count > 0) warnings.Add(entry.Json.Error("a dynamic route takes calls only in a configuration without Routes, and so takes none."));
            else if (global.Discovery is null) warnings.Add(entry.Json.Error("a dynamic route needs a ServiceDiscoveryProvider, and takes no call without."));
        }

        foreach (var group in dynamicRoutes.Where(entry => entry.ServiceName is not null).GroupBy(ServiceOf))
            if (group.Skip(1).FirstOrDefault() is { } second)
                errors.Add(second.Json.Error("ServiceName", $"\"{group.Key}\" is already written in {group.First().Json.File}:{group.First().Json.Line}."));
    }

    public static ServiceName ServiceOf(OcelotRoute route) => new(route.ServiceName!, route.ServiceNamespace);

    /// <summary>The services whose hosts a configuration needs.</summary>
    public static IReadOnlyCollection<ServiceName> ServicesOf(OcelotConfiguration configuration) =>
        configuration.Global.Discovery is null or { Kind: DiscoveryKind.ServiceFabric }
            ? []
            : [.. configuration.Routes.Concat(configuration.IsDynamic ? configuration.DynamicRoutes : []).Where(route => route.ServiceName is not null).Select(ServiceOf).Distinct()];

    /// <summary>The route with the hosts that its service has now.</summary>
    public static OcelotRoute Resolve(OcelotRoute route, OcelotGlobal global, Func<ServiceName, IReadOnlyList<ServiceHost>> hostsOf)
    {
        if (route.ServiceName is null || global.Discovery is not { } discovery) return route;
        if (discovery.Kind == DiscoveryKind.ServiceFabric)
            return route with
            {
                ServiceName = null,
                DownstreamHostAndPorts = [new OcelotHost(discovery.Host!, discovery.Port)],
                DownstreamPathTemplate = $"/{route.ServiceName.Trim('/')}{route.DownstreamPathTemplate}",
            };
        return route with { DownstreamHostAndPorts = [.. hostsOf(ServiceOf(route)).Select(host => new OcelotHost(host.Host, host.Port))] };
    }

    /// <summary>The route of a service that is called by its name: <c>/service/rest</c> goes to <c>/rest</c>.</summary>
    public static OcelotRoute DynamicRoute(ServiceName service, OcelotConfiguration configuration)
    {
        var written = configuration.DynamicRoutes.FirstOrDefault(entry => ServiceOf(entry) == service) ??
            new OcelotRoute { Json = configuration.Global.Json!, ServiceName = service.Name, ServiceNamespace = service.Namespace };
        return written with
        {
            UpstreamPathTemplate = $"/{service}/{{{Rest}}}",
            DownstreamPathTemplate = $"/{{{Rest}}}",
            DownstreamScheme = written.DownstreamScheme ?? configuration.Global.DownstreamScheme,
            DownstreamHttpVersion = written.DownstreamHttpVersion ?? configuration.Global.DownstreamHttpVersion,
            DownstreamHttpVersionPolicy = written.DownstreamHttpVersionPolicy ?? configuration.Global.DownstreamHttpVersionPolicy,
            Key = written.Key ?? service.ToString(),
        };
    }

    private static string? Text(JsonEntry json, string name, List<ConfigurationError> errors) => json.ReadText(name, errors) is { } text && !string.IsNullOrWhiteSpace(text) ? text.Trim() : null;
}
