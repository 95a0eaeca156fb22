namespace Tollgate.Gateway.Compatibility;

/// <summary>What becomes of a property that Ocelot knows.</summary>
public enum PropertyFate
{
    /// <summary>Means what it means in Ocelot.</summary>
    Same,

    /// <summary>Does what it says, where Ocelot does not, or does it safely.</summary>
    Better,

    /// <summary>Changes nothing.</summary>
    Ignored,

    /// <summary>Tollgate's own: Ocelot passes over it.</summary>
    Ours,

    /// <summary>Neither of the two knows it.</summary>
    Unknown,
}

/// <summary>Every property of Ocelot 25 and of Tollgate, where it may stand, and what becomes of it; and what else is often found beside them.</summary>
internal static partial class PropertyBook
{
    /// <summary>A list of names that are the author's own.</summary>
    private const string Any = "*";

    private static readonly (string Path, PropertyFate Fate, string Reason)[] Entries =
    [
        .. Same("Routes", "Aggregates", "DynamicRoutes", "GlobalConfiguration", "BaseUrl"),
        Better("Routes.UpstreamPathTemplate", "its text is literal: in Ocelot a dot is any character and a bracket ends the start"),
        .. Same("Routes.DownstreamPathTemplate", "Routes.DownstreamScheme", "Routes.UpstreamHttpMethod", "Routes.Priority", "Routes.RouteIsCaseSensitive", "Routes.Key",
            "Routes.DownstreamHttpMethod", "Routes.RequestIdKey", "Routes.Metadata", "Routes.DownstreamHttpVersion", "Routes.DownstreamHttpVersionPolicy", "Routes.ServiceName", "Routes.ServiceNamespace",
            "Routes.DangerousAcceptAnyServerCertificateValidator"),
        Better("Routes.DownstreamHostAndPorts", "a host that takes no connection is left alone, and its calls go to the next"),
        Same("Routes.DownstreamHostAndPorts.Host"),
        Better("Routes.DownstreamHostAndPorts.Port", "no port means the scheme's own, not the gateway's"),
        .. Ours("Routes.DownstreamHostAndPorts.Weight", "Routes.DownstreamHostAndPorts.Priority"),
        Better("Routes.UpstreamHost", "host names have no case"),
        Better("Routes.UpstreamHeaderTemplates", "values are literal text, and what they fill in stays within its segment"),
        Same("Routes.UpstreamHeaderTemplates." + Any),
        Better("Routes.DelegatingHandlers", "an unknown name is said, not passed over"),
        Better("Routes.Timeout", "elapsed is 504, as HTTP has it, not 503"),
        Better("Routes.RouteClaimsRequirement", "names with a colon are required too, where Ocelot lets everybody in, and a list means one of its values"),
        Same("Routes.RouteClaimsRequirement." + Any),
        .. Same("Routes.AddClaimsToRequest", "Routes.AddHeadersToRequest", "Routes.AddQueriesToRequest", "Routes.ChangeDownstreamPathTemplate"),
        .. Same("Routes.AddClaimsToRequest." + Any, "Routes.AddHeadersToRequest." + Any, "Routes.AddQueriesToRequest." + Any, "Routes.ChangeDownstreamPathTemplate." + Any, "Routes.Metadata." + Any),

        .. Shared("UpstreamHeaderTransform", PropertyFate.Same, "", Any),
        .. Shared("DownstreamHeaderTransform", PropertyFate.Better, "further values of a header are kept", Any),
        .. Shared("AuthenticationOptions", PropertyFate.Better, "upgrades are asked too, and a 401 says how to sign in", "AuthenticationProviderKey", "AuthenticationProviderKeys", "AllowedScopes", "AllowAnonymous", "RouteKeys"),
        .. Shared("SecurityOptions", PropertyFate.Better, "an entry that cannot be read stops the start, where Ocelot lets everybody in, and a range costs no memory", "IPAllowedList", "IPBlockedList", "ExcludeAllowedFromBlocked"),
        .. Shared("RateLimitOptions", PropertyFate.Better, "files from before 24.1 go on to work, and Retry-After is whole seconds", "ClientIdHeader", "ClientWhitelist", "EnableRateLimiting", "Limit", "Period", "Wait", "PeriodTimespan",
            "StatusCode", "HttpStatusCode", "QuotaMessage", "QuotaExceededMessage", "EnableHeaders", "DisableRateLimitHeaders", "RouteKeys"),
        .. Shared("RateLimitOptions.KeyPrefix", PropertyFate.Ignored, "counters are this process's own, and nobody else sees their names"),
        .. Shared("RateLimitOptions.RateLimitCounterPrefix", PropertyFate.Ignored, "counters are this process's own, and nobody else sees their names"),
        .. Shared("QoSOptions", PropertyFate.Better, "it is built in, and numbers are taken as they are written", "MinimumThroughput", "ExceptionsAllowedBeforeBreaking", "BreakDuration", "DurationOfBreak", "FailureRatio", "SamplingDuration", "Timeout",
            "TimeoutValue", "RouteKeys"),
        .. Shared("CacheOptions", PropertyFate.Better, "kept answers of routes with authentication are never shared between callers", "TtlSeconds", "Region", "Header", "EnableContentHashing", "RouteKeys"),
        .. Shared("FileCacheOptions", PropertyFate.Better, "kept answers of routes with authentication are never shared between callers", "TtlSeconds", "Region", "Header", "EnableContentHashing", "RouteKeys"),
        .. Shared("LoadBalancerOptions", PropertyFate.Better, "a session moves off a dead host, and other calls of it go to the next", "Type", "Key", "Expiry", "RouteKeys"),
        .. Shared("HttpHandlerOptions", PropertyFate.Same, "", "AllowAutoRedirect", "MaxConnectionsPerServer", "PooledConnectionLifetimeSeconds", "UseProxy", "RouteKeys"),
        .. Shared("HttpHandlerOptions.UseCookieContainer", PropertyFate.Same, ""),
        .. Shared("HttpHandlerOptions.UseTracing", PropertyFate.Better, "no tracer is needed: a call without a W3C trace gets one"),

        Better("Aggregates.RouteKeys", "the answer is valid JSON whatever the members say, and a late body reaches them all"),
        .. Same("Aggregates.UpstreamPathTemplate", "Aggregates.Key", "Aggregates.UpstreamHost", "Aggregates.UpstreamHeaderTemplates", "Aggregates.UpstreamHeaderTemplates." + Any, "Aggregates.RouteIsCaseSensitive", "Aggregates.Priority",
            "Aggregates.UpstreamHttpMethod", "Aggregates.RouteKeysConfig", "Aggregates.RouteKeysConfig.RouteKey", "Aggregates.RouteKeysConfig.JsonPath", "Aggregates.RouteKeysConfig.Parameter", "Aggregates.Aggregator"),

        .. Same("DynamicRoutes.ServiceName", "DynamicRoutes.ServiceNamespace", "DynamicRoutes.RateLimitRule", "DynamicRoutes.RateLimitRule." + Any, "DynamicRoutes.Timeout", "DynamicRoutes.DownstreamHttpVersion",
            "DynamicRoutes.DownstreamHttpVersionPolicy", "DynamicRoutes.Metadata", "DynamicRoutes.Metadata." + Any, "DynamicRoutes.Key"),
        .. Below("DynamicRoutes", "AuthenticationOptions", "RateLimitOptions", "QoSOptions", "CacheOptions", "FileCacheOptions", "LoadBalancerOptions", "HttpHandlerOptions"),

        .. Same("GlobalConfiguration.BaseUrl", "GlobalConfiguration.RequestIdKey", "GlobalConfiguration.Metadata", "GlobalConfiguration.Metadata." + Any, "GlobalConfiguration.DownstreamScheme", "GlobalConfiguration.DownstreamHttpVersion",
            "GlobalConfiguration.DownstreamHttpVersionPolicy", "GlobalConfiguration.MetadataOptions", "GlobalConfiguration.MetadataOptions.Metadata", "GlobalConfiguration.MetadataOptions.Metadata." + Any),
        .. new[] { "CurrentCulture", "NumberStyle", "Separators", "StringSplitOption", "TrimChars" }
            .Select(name => ("GlobalConfiguration.MetadataOptions." + name, PropertyFate.Ignored, "plug-ins get the text as it is written")),
        Better("GlobalConfiguration.Timeout", "elapsed is 504, as HTTP has it, not 503"),
        Same("GlobalConfiguration.ServiceDiscoveryProvider"),
        .. new[] { "Scheme", "Host", "Port", "Type", "Token", "PollingInterval", "Namespace" }.Select(name => Same("GlobalConfiguration.ServiceDiscoveryProvider." + name)),
        ("GlobalConfiguration.ServiceDiscoveryProvider.ConfigurationKey", PropertyFate.Ignored, "services publish their routes to the gateway, which keeps none in Consul"),
        ("GlobalConfiguration.AdministrationPath", PropertyFate.Ignored, "the management API takes its place"),

        .. Ignored("it is SwaggerForOcelot's: the portal shows the OpenAPI documents of products", "SwaggerEndPoints", "SwaggerForOcelot", "Routes.SwaggerKey", "Routes.VirtualDirectory", "Routes.ParametersMap", "Aggregates.Description"),
        .. Ignored("a ServiceName alone says it since Ocelot 13", "Routes.UseServiceDiscovery", "GlobalConfiguration.UseServiceDiscovery"),
        .. Ignored("it is a setting of the C# gateway's host", "Logging", "AllowedHosts", "ConnectionStrings", "Kestrel", "Serilog", "Urls"),

        .. Ours("Tollgate", "Tollgate.Errors", "Tollgate.Authentication", "Tollgate.Authentication.Providers", "Tollgate.Authentication.Providers." + Any, "Routes.Tollgate", "GlobalConfiguration.Tollgate", "GlobalConfiguration.Tollgate.Errors"),
        .. Ours("Aggregates.Tollgate", "Aggregates.Tollgate.Product", "Aggregates.Tollgate.Scopes", "Aggregates.Tollgate.Units"),
        .. OursIn("Product", "Scopes", "Units", "KeyQuery", "Audiences", "ForwardCredentials", "ConsumerToken", "MaxBodyBytes", "MaxHeaderBytes", "ClientCertificates", "Cors", "Compression", "SecurityHeaders", "StaticFiles", "Tls", "Cache",
            "LoadBalancing", "HealthChecks", "Retry", "Hedging", "Timeouts", "Canary", "Mirror", "Request", "Answer", "Validation", "Mock"),
    ];

    private static readonly Dictionary<string, (PropertyFate Fate, string Reason)> ByPath =
        Entries.GroupBy(entry => entry.Path, StringComparer.OrdinalIgnoreCase).ToDictionary(group => group.Key, group => (group.First().Fate, group.First().Reason), StringComparer.OrdinalIgnoreCase);

    private static readonly ILookup<string, string> NamesIn =
        Entries.ToLookup(entry => entry.Path.LastIndexOf('.') is var dot and >= 0 ? entry.Path[..dot] : "", entry => entry.Path[(entry.Path.LastIndexOf('.') + 1)..], StringComparer.OrdinalIgnoreCase);

    /// <param name="path">Without the places of lists: <c>Routes.QoSOptions.Timeout</c>.</param>
    public static (PropertyFate Fate, string Reason) Of(string path)
    {
        if (ByPath.TryGetValue(path, out var known)) return known;
        var parent = path.LastIndexOf('.') is var dot and >= 0 ? path[..dot] : "";
        return NamesIn[parent].Contains(Any) && ByPath.TryGetValue(parent, out var named) ? (named.Fate, named.Reason) : (PropertyFate.Unknown, "");
    }

    /// <summary>Where a property of this name belongs; null = nowhere.</summary>
    public static string? PlaceOf(string name) =>
        Entries.Select(entry => entry.Path).FirstOrDefault(path => path.Count(c => c == '.') == 1 && path.EndsWith($".{name}", StringComparison.OrdinalIgnoreCase) && ByPath[path].Fate != PropertyFate.Ignored);

    /// <summary>The names that may stand in an object; empty = what stands there is not ours to list.</summary>
    public static IReadOnlyList<string> Names(string parent) => [.. NamesIn[parent].Where(name => name != Any)];

    /// <param name="path">With the places of lists: <c>Routes[2].QoSOptions.Timeout</c>.</param>
    /// <returns>Whether it, or what it stands in, means something to the gateway.</returns>
    public static bool IsRead(string path)
    {
        var name = Places().Replace(path, "");
        for (var dot = name.IndexOf('.'); ; dot = name.IndexOf('.', dot + 1))
        {
            var outer = dot < 0 ? name : name[..dot];
            if (Of(outer).Fate is PropertyFate.Unknown or PropertyFate.Ignored) return false;
            if (dot < 0 || !Lists(outer)) return true;
        }
    }

    [System.Text.RegularExpressions.GeneratedRegex(@"\[\d+\]")]
    private static partial System.Text.RegularExpressions.Regex Places();

    /// <summary>Whether what stands inside a property is listed here.</summary>
    public static bool Lists(string path) => NamesIn[path].Any(name => name != Any);

    private static (string, PropertyFate, string) Same(string path) => (path, PropertyFate.Same, "");

    private static IEnumerable<(string, PropertyFate, string)> Same(params string[] paths) => paths.Select(Same);

    private static (string, PropertyFate, string) Better(string path, string reason) => (path, PropertyFate.Better, reason);

    private static IEnumerable<(string, PropertyFate, string)> Ignored(string reason, params string[] paths) => paths.Select(path => (path, PropertyFate.Ignored, reason));

    private static IEnumerable<(string, PropertyFate, string)> Ours(params string[] paths) => paths.Select(path => (path, PropertyFate.Ours, ""));

    // In the Tollgate block of a route and of GlobalConfiguration.
    private static IEnumerable<(string, PropertyFate, string)> OursIn(params string[] names) => names.SelectMany(name => Ours($"Routes.Tollgate.{name}", $"GlobalConfiguration.Tollgate.{name}"));

    // Options of a route, of a dynamic route and of GlobalConfiguration.
    private static IEnumerable<(string, PropertyFate, string)> Shared(string name, PropertyFate fate, string reason, params string[] members) =>
        new[] { "Routes", "GlobalConfiguration", "DynamicRoutes" }.SelectMany(parent => members.Select(member => ($"{parent}.{name}.{member}", member == Any ? fate : PropertyFate.Same, member == Any ? reason : "")).Prepend(($"{parent}.{name}", fate, reason)));

    private static IEnumerable<(string, PropertyFate, string)> Below(string parent, params string[] names) => names.Select(name => Same($"{parent}.{name}"));
}
