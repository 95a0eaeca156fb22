using Microsoft.AspNetCore.Http;
using Tollgate.Gateway.Policy.Edge;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>Writes what a route's edge says on every answer of it, refusals included: a page must be able to read why.</summary>
internal static class EdgeHeaders
{
    public static void Write(Exchange exchange, RouteEdge edge, IHeaderDictionary headers)
    {
        if (edge.Cors is { } cors) Allow(exchange.Context.Request.Headers.Origin.ToString(), cors, headers);
        if (edge.Headers is { } security) Secure(security, headers);
    }

    public static void Allow(string origin, CorsRule cors, IHeaderDictionary headers)
    {
        headers.Remove("Access-Control-Allow-Origin");
        headers.Remove("Access-Control-Allow-Credentials");
        headers.Remove("Access-Control-Expose-Headers");
        var open = cors is { IsForAll: true, Credentials: false };
        if (!open) AddVary(headers, "Origin");
        if (origin.Length == 0 || !cors.AllowsOrigin(origin)) return;

        headers.AccessControlAllowOrigin = open ? "*" : origin;
        if (cors.Credentials) headers.AccessControlAllowCredentials = "true";
        headers.AccessControlExposeHeaders = cors.Exposed;
    }

    public static void AddVary(IHeaderDictionary headers, string name)
    {
        foreach (var line in headers.Vary)
            foreach (var word in (line ?? "").Split(',', StringSplitOptions.TrimEntries))
                if (word == "*" || word.Equals(name, StringComparison.OrdinalIgnoreCase))
                    return;
        headers.Append("Vary", name);
    }

    private static void Secure(SecurityHeaders security, IHeaderDictionary headers)
    {
        foreach (var name in security.Removed) headers.Remove(name);
        foreach (var (name, value) in security.Set) headers[name] = value;
        foreach (var (name, value) in security.Added) headers.TryAdd(name, value);
    }
}
