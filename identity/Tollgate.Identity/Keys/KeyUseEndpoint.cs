using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts;
using Tollgate.Identity.Storage;
using Tollgate.ServiceDefaults;
using Tollgate.ServiceDefaults.Internal;

namespace Tollgate.Identity.Keys;

/// <summary>Where gateways tell which keys they saw: <c>POST /credentials/used</c> on the internal port. The latest minute holds, so reports may come twice and in any order.</summary>
internal static class KeyUseEndpoint
{
    private const long MostBytes = 2 * 1024 * 1024;
    private const int MostKeys = 10_000;
    private const int AtOnce = 500;

    /// <summary>A gateway's clock may be a little ahead, and no more.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(5);

    public static void MapKeyUse(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapInternal().MapPost(InternalPaths.KeyUse, TakeAsync).RequireGatewayToken().WithMetadata(new RequestSizeLimitAttribute(MostBytes));

    private static async Task<Results<NoContent, ProblemHttpResult>> TakeAsync(
        HttpContext http, IDbContextFactory<IdentityDb> databases, TimeProvider time, CancellationToken cancel)
    {
        if (await InternalBody.ReadAsync(http, ContractJson.Default.KeyUseReport, cancel) is not { } report)
            return Problems.BadRequest("key-use", "The body is one report of used keys as JSON, of at most 2 MiB.");
        if (report.Keys is not { Count: <= MostKeys } keys) return Problems.BadRequest("key-use", $"A report names up to {MostKeys} keys.");
        var latest = time.GetUtcNow() + Skew;
        await using var db = await databases.CreateDbContextAsync(cancel);
        foreach (var minute in keys.Where(k => k.MinuteUnixMs > 0 && k.MinuteUnixMs <= latest.ToUnixTimeMilliseconds()).GroupBy(k => k.MinuteUnixMs - (k.MinuteUnixMs % 60_000)))
        {
            var at = (DateTimeOffset?)DateTimeOffset.FromUnixTimeMilliseconds(minute.Key);
            foreach (var some in minute.Select(k => k.Key).Distinct().Chunk(AtOnce))
                await db.Keys.Where(k => some.Contains(k.Id) && (k.LastUsed == null || k.LastUsed < at)).ExecuteUpdateAsync(k => k.SetProperty(x => x.LastUsed, at), cancel);
        }

        return TypedResults.NoContent();
    }
}
