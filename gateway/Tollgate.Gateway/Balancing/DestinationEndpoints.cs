using System.Security.Cryptography;
using System.Text;
using Tollgate.ServiceDefaults;

namespace Tollgate.Gateway.Balancing;

/// <summary>Hosts for operators, on the internal port: how they are, and that one is to have no more calls.</summary>
internal static class DestinationEndpoints
{
    private const string Scheme = "Bearer ";

    /// <param name="token">The gateway's token, which orders must then show; null = the internal port alone guards them.</param>
    public static void Map(IEndpointRouteBuilder endpoints, UpstreamDirectory hosts, string? token)
    {
        endpoints.MapGet("/destinations", () => Results.Json(new { destinations = hosts.Facts() }));
        endpoints.MapPost("/destinations/{host}/drain", (string host, HttpRequest request) => Order(request, token, hosts, host, hosts.Drain));
        endpoints.MapPost("/destinations/{host}/resume", (string host, HttpRequest request) => Order(request, token, hosts, host, hosts.Resume));
    }

    private static IResult Order(HttpRequest request, string? token, UpstreamDirectory hosts, string host, Func<string, bool> order)
    {
        if (token is not null && !IsShown(request.Headers.Authorization.ToString(), token))
            return Problems.Unauthorized("gateway-token", "Send the gateway's token as Authorization: Bearer tgw_….");
        if (!order(host)) return Problems.NotFound($"No route has the host {host}. GET /destinations lists them.");
        return hosts.Facts().FirstOrDefault(facts => facts.Host.Equals(host, StringComparison.OrdinalIgnoreCase)) is { } facts
            ? Results.Json(facts)
            : Results.NoContent();
    }

    private static bool IsShown(string authorization, string token) =>
        authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) &&
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(authorization[Scheme.Length..].Trim()), Encoding.UTF8.GetBytes(token));
}
