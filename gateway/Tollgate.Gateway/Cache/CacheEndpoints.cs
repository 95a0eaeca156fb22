using System.Security.Cryptography;
using System.Text;
using Tollgate.ServiceDefaults;

namespace Tollgate.Gateway.Cache;

/// <summary>Throws kept answers away, on the internal port: all, or those of a region or a tag. <c>outputcache</c> is what Ocelot calls it.</summary>
internal static class CacheEndpoints
{
    private const string Scheme = "Bearer ";

    /// <param name="token">The gateway's token, which orders must then show; null = the internal port alone guards them.</param>
    public static void MapCache(this IEndpointRouteBuilder endpoints, AnswerCache cache, string? token)
    {
        endpoints.MapGet("/api/v1/cache", () => Results.Json(new { answers = cache.Count, bytes = cache.Bytes }));
        endpoints.MapDelete("/api/v1/cache", (HttpRequest request) => Order(request, () => Removed(cache.ForgetAll())));
        endpoints.MapDelete("/api/v1/cache/regions/{**region}", (string region, HttpRequest request) => Order(request, () => Removed(cache.ForgetRegion(Uri.UnescapeDataString(region)))));
        endpoints.MapDelete("/api/v1/cache/tags/{**tag}", (string tag, HttpRequest request) => Order(request, () => Removed(cache.ForgetTag(Uri.UnescapeDataString(tag)))));
        endpoints.MapDelete("/outputcache/{**region}", (string region, HttpRequest request) => Order(request, () => Cleared(cache.ForgetRegion(Uri.UnescapeDataString(region)))));
        endpoints.MapDelete("/administration/outputcache/{**region}", (string region, HttpRequest request) => Order(request, () => Cleared(cache.ForgetRegion(Uri.UnescapeDataString(region)))));

        IResult Order(HttpRequest request, Func<IResult> order) =>
            token is null || IsShown(request.Headers.Authorization.ToString(), token) ? order() : Problems.Unauthorized("gateway-token", "Send the gateway's token as Authorization: Bearer tgw_….");
    }

    private static IResult Removed(int answers) => Results.Json(new { removed = answers });

    private static IResult Cleared(int _) => Results.NoContent();

    private static bool IsShown(string authorization, string token) =>
        authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) &&
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(authorization[Scheme.Length..].Trim()), Encoding.UTF8.GetBytes(token));
}
