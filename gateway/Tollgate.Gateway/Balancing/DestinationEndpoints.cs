using Tollgate.Gateway.Admin;
using Tollgate.ServiceDefaults;

namespace Tollgate.Gateway.Balancing;

/// <summary>Hosts for operators, on the internal port: how they are, and that one is to have no more calls.</summary>
internal static class DestinationEndpoints
{
    /// <param name="token">The gateway's own token, which orders must show.</param>
    public static void Map(IEndpointRouteBuilder endpoints, UpstreamDirectory hosts, string? token)
    {
        endpoints.MapGet("/destinations", () => Results.Json(new { destinations = hosts.Facts() }));
        endpoints.MapPost("/destinations/{host}/drain", (string host) => Order(hosts, host, hosts.Drain)).RequireOwnToken(token);
        endpoints.MapPost("/destinations/{host}/resume", (string host) => Order(hosts, host, hosts.Resume)).RequireOwnToken(token);
    }

    private static IResult Order(UpstreamDirectory hosts, string host, Func<string, bool> order)
    {
        if (!order(host)) return Problems.NotFound($"No route has the host {host}. GET /destinations lists them.");
        return hosts.Facts().FirstOrDefault(facts => facts.Host.Equals(host, StringComparison.OrdinalIgnoreCase)) is { } facts
            ? Results.Json(facts)
            : Results.NoContent();
    }
}
