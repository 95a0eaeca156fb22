using Tollgate.Gateway.Cache;

namespace Tollgate.Gateway.Ocelot;

/// <summary><c>CacheOptions</c> (or <c>FileCacheOptions</c>, its old name) of a route or of the whole file; null = not written.</summary>
internal sealed class OcelotCache
{
    public long? TtlSeconds { get; init; }
    public string? Region { get; init; }
    public string? Header { get; init; }
    public bool? EnableContentHashing { get; init; }
    public IReadOnlyList<string> RouteKeys { get; init; } = [];

    public static OcelotCache? Read(JsonEntry parent, List<ConfigurationError> errors)
    {
        var json = parent.ReadObject("FileCacheOptions", errors) is { Members.Count: > 0 } old ? old : parent.ReadObject("CacheOptions", errors);
        if (json is not { Members.Count: > 0 }) return null;
        var header = Text(json, "Header", errors);
        if (header is not null && !OcelotValidation.IsToken(header)) errors.Add(json.Error("Header", $"\"{header}\" is not a header name."));
        return new OcelotCache
        {
            TtlSeconds = json.ReadNumber("TtlSeconds", int.MinValue, int.MaxValue, errors),
            Region = Text(json, "Region", errors),
            Header = header,
            EnableContentHashing = json.ReadFlag("EnableContentHashing", errors),
            RouteKeys = json.ReadTexts("RouteKeys", errors),
        };
    }

    /// <summary>Property by property, the route before the global part. Null = nothing is kept.</summary>
    public static CacheRule? Merge(OcelotRoute route, OcelotGlobal global)
    {
        if (route.Tollgate.Cache is { } http) return http with { Scope = ScopeOf(route), Region = http.Region.Length > 0 ? http.Region : route.Name };

        var own = route.Cache;
        var shared = global.Cache is { } all && route.IsAmong(all.RouteKeys) ? all : null;
        if ((own?.TtlSeconds ?? shared?.TtlSeconds ?? 0) is not (> 0 and var ttl)) return null;
        return new CacheRule
        {
            Scope = ScopeOf(route),
            TtlMs = ttl * 1000,
            Region = own?.Region ?? shared?.Region ?? route.Name,
            Header = own?.Header ?? shared?.Header ?? "OC-Cache-Control",
            HashesContent = own?.EnableContentHashing ?? shared?.EnableContentHashing ?? false,
        };
    }

    // A route that goes elsewhere begins with an empty cache.
    private static string ScopeOf(OcelotRoute route) =>
        string.Join('|', [route.Identity, route.DownstreamPathTemplate, route.DownstreamScheme, route.ServiceName, .. route.ServiceName is null ? route.DownstreamHostAndPorts.Select(host => host.ToString()) : []]);

    private static string? Text(JsonEntry json, string name, List<ConfigurationError> errors) => json.ReadText(name, errors) is { } text && !string.IsNullOrWhiteSpace(text) ? text.Trim() : null;
}
