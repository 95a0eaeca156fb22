using Tollgate.Gateway.Admin;

namespace Tollgate.Gateway.Cache;

/// <summary>Throws kept answers away, on the internal port: all, or those of a region or a tag. <c>outputcache</c> is what Ocelot calls it.</summary>
internal static class CacheEndpoints
{
    /// <param name="token">The gateway's own token, which orders must show.</param>
    public static void MapCache(this IEndpointRouteBuilder endpoints, AnswerCache cache, string? token)
    {
        endpoints.MapGet("/api/v1/cache", () => Results.Json(new { answers = cache.Count, bytes = cache.Bytes }));
        endpoints.MapDelete("/api/v1/cache", () => Removed(cache.ForgetAll())).RequireOwnToken(token);
        endpoints.MapDelete("/api/v1/cache/regions/{**region}", (string region) => Removed(cache.ForgetRegion(Uri.UnescapeDataString(region)))).RequireOwnToken(token);
        endpoints.MapDelete("/api/v1/cache/tags/{**tag}", (string tag) => Removed(cache.ForgetTag(Uri.UnescapeDataString(tag)))).RequireOwnToken(token);
        foreach (var path in (string[])["/outputcache/{**region}", "/administration/outputcache/{**region}"])
            endpoints.MapDelete(path, (string region) => Cleared(cache.ForgetRegion(Uri.UnescapeDataString(region)))).RequireOwnToken(token);
    }

    private static IResult Removed(int answers) => Results.Json(new { removed = answers });

    private static IResult Cleared(int _) => Results.NoContent();
}
