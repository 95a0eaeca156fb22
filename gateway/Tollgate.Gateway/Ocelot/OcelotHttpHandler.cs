using Tollgate.Gateway.Transport;

namespace Tollgate.Gateway.Ocelot;

/// <summary><c>HttpHandlerOptions</c> of a route or of the whole file; null = not written.</summary>
internal sealed class OcelotHttpHandler
{
    public bool? AllowAutoRedirect { get; init; }
    public bool? UseCookieContainer { get; init; }
    public bool? UseProxy { get; init; }
    public bool? UseTracing { get; init; }
    public int? MaxConnectionsPerServer { get; init; }
    public int? PooledConnectionLifetimeSeconds { get; init; }
    public IReadOnlyList<string> RouteKeys { get; init; } = [];

    public static OcelotHttpHandler? Read(JsonEntry parent, List<ConfigurationError> errors)
    {
        if (parent.ReadObject("HttpHandlerOptions", errors) is not { Members.Count: > 0 } json) return null;
        return new OcelotHttpHandler
        {
            AllowAutoRedirect = json.ReadFlag("AllowAutoRedirect", errors),
            UseCookieContainer = json.ReadFlag("UseCookieContainer", errors),
            UseProxy = json.ReadFlag("UseProxy", errors),
            UseTracing = json.ReadFlag("UseTracing", errors),
            MaxConnectionsPerServer = Positive(json, "MaxConnectionsPerServer", errors),
            PooledConnectionLifetimeSeconds = Positive(json, "PooledConnectionLifetimeSeconds", errors),
            RouteKeys = json.ReadTexts("RouteKeys", errors),
        };
    }

    public static bool Traces(OcelotRoute route, OcelotGlobal global) => route.Handler?.UseTracing ?? Shared(route, global)?.UseTracing ?? false;

    /// <summary>Option by option, the route before the global part.</summary>
    public static TransportRule Merge(OcelotRoute route, OcelotGlobal global)
    {
        var own = route.Handler;
        var shared = Shared(route, global);
        var rule = new TransportRule
        {
            FollowRedirects = own?.AllowAutoRedirect ?? shared?.AllowAutoRedirect ?? false,
            KeepCookies = own?.UseCookieContainer ?? shared?.UseCookieContainer ?? false,
            UseProxy = own?.UseProxy ?? shared?.UseProxy ?? false,
            MaxConnections = (own?.MaxConnectionsPerServer ?? shared?.MaxConnectionsPerServer) is { } most and < int.MaxValue ? most : 0,
            LifetimeSeconds = own?.PooledConnectionLifetimeSeconds ?? shared?.PooledConnectionLifetimeSeconds ?? 120,
            Tls = route.Tls ?? global.Tls,
            ServerName = (route.Tls ?? global.Tls)?.ServerName ?? (route.DownstreamScheme is "http" or "ws" ? null : OcelotTransforms.WrittenHost(route.Transforms, global.Transforms)),
            TrustAnyCertificate = route.DangerousAcceptAnyServerCertificateValidator,
            Handlers = string.Join('\n', route.DelegatingHandlers),
        };

        // Cookies must not wander between routes, and a cap is the route's own.
        return rule.KeepCookies || rule.MaxConnections > 0 ? rule with { Owner = route.Identity } : rule;
    }

    private static OcelotHttpHandler? Shared(OcelotRoute route, OcelotGlobal global) =>
        global.Handler is { } shared && route.IsAmong(shared.RouteKeys) ? shared : null;

    // As in Ocelot, what is not above zero is not written.
    private static int? Positive(JsonEntry json, string name, List<ConfigurationError> errors) =>
        json.ReadNumber(name, int.MinValue, int.MaxValue, errors) is { } number and > 0 ? (int)number : null;
}
