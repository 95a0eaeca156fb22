using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Tollgate.Contracts.Feeds;
using Tollgate.Portal.Admin;
using Tollgate.Publishing.Orders;
using Tollgate.ServiceDefaults;

namespace Tollgate.Portal.Api;

/// <summary>Orders that reach every gateway within a second: kept answers are thrown away, hosts drain (docs/ocelot.md, docs/balancing.md).</summary>
internal static class GatewaysApi
{
    public sealed record OrderedPurge(string Scope, string? Name);

    public sealed record DrainedHosts(IReadOnlyList<string> Draining);

    public static void MapGateways(this IEndpointRouteBuilder api)
    {
        var cache = api.MapGroup("/cache").WithTags("Gateways");
        cache.MapDelete("", (RouteDesk desk, CancellationToken cancel) => PurgeAsync(PurgeScope.Everything, "", desk, cancel)).WithName("PurgeCache");
        cache.MapDelete("/regions/{region}", (string region, RouteDesk desk, CancellationToken cancel) => PurgeAsync(PurgeScope.Region, region, desk, cancel)).WithName("PurgeCacheRegion");
        cache.MapDelete("/tags/{tag}", (string tag, RouteDesk desk, CancellationToken cancel) => PurgeAsync(PurgeScope.Tag, tag, desk, cancel)).WithName("PurgeCacheTag");
        var hosts = api.MapGroup("/destinations").WithTags("Gateways");
        hosts.MapGet("", async (GatewayOrders orders, CancellationToken cancel) => TypedResults.Ok(new DrainedHosts(await orders.DrainedAsync(cancel)))).WithName("ListDrainedDestinations");
        hosts.MapPost("/{host}/drain", DrainAsync).WithName("DrainDestination");
        hosts.MapPost("/{host}/resume", ResumeAsync).WithName("ResumeDestination");
    }

    /// <summary>Every gateway throws the answers away; 202: the order is on its way.</summary>
    private static async Task<Results<Accepted<OrderedPurge>, ProblemHttpResult>> PurgeAsync(PurgeScope scope, string name, RouteDesk desk, CancellationToken cancel)
    {
        name = Uri.UnescapeDataString(name);
        if (name.Length > GatewayOrders.LongestName || name.Any(char.IsControl)) return Problems.BadRequest("name", $"A region or tag has at most {GatewayOrders.LongestName} characters.");
        await desk.PurgeAsync(scope, name, cancel);
        return TypedResults.Accepted((string?)null, new OrderedPurge(scope.ToString().ToLowerInvariant(), name.Length > 0 ? name : null));
    }

    /// <summary>No gateway sends new calls to the host, across restarts, until it is resumed.</summary>
    private static async Task<Results<Accepted<DrainedHosts>, ProblemHttpResult>> DrainAsync(string host, RouteDesk desk, GatewayOrders orders, CancellationToken cancel)
    {
        if (!IsAuthority(host)) return Problems.BadRequest("host", "A host is named as in the routes, with its port: orders-1:8080.");
        await desk.DrainAsync(host, cancel);
        return TypedResults.Accepted((string?)null, new DrainedHosts(await orders.DrainedAsync(cancel)));
    }

    private static async Task<Results<Accepted<DrainedHosts>, ProblemHttpResult>> ResumeAsync(string host, RouteDesk desk, GatewayOrders orders, CancellationToken cancel) =>
        await desk.ResumeAsync(host, cancel)
            ? TypedResults.Accepted((string?)null, new DrainedHosts(await orders.DrainedAsync(cancel)))
            : Problems.NotFound($"The host {host} does not drain by an order to all gateways. GET /api/v1/destinations lists those that do.");

    private static bool IsAuthority(string host)
    {
        var colon = host.LastIndexOf(':');
        return host.Length <= GatewayOrders.LongestName && colon > 0 && int.TryParse(host.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535 &&
            Uri.CheckHostName(host[..colon].Trim('[', ']')) != UriHostNameType.Unknown;
    }
}
