using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Tollgate.Contracts;
using Tollgate.Contracts.Fragments;
using Tollgate.ServiceDefaults;
using Tollgate.ServiceDefaults.Internal;

namespace Tollgate.Publishing.Fragments;

/// <summary>Where gateways tell how the services' routes stand with them: <c>POST /routes/standing</c> on the internal port.</summary>
internal static class StandingEndpoint
{
    private const long MostBytes = 4 * 1024 * 1024;
    private const int MostFragments = 10_000;

    public static void MapFragmentReports(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapInternal().MapPost(InternalPaths.FragmentReports, TakeAsync).RequireGatewayToken().WithMetadata(new RequestSizeLimitAttribute(MostBytes));

    private static async Task<Results<NoContent, ProblemHttpResult>> TakeAsync(HttpContext http, FragmentStandings standings, CancellationToken cancel)
    {
        if (await InternalBody.ReadAsync(http, ContractJson.Default.FragmentReport, cancel) is not { } report)
            return Problems.BadRequest("fragment-report", "The body is one report of how routes stand as JSON, of at most 4 MiB.");
        if (report is not { Gateway.Length: > 0 and <= GatewayStanding.GatewayLength, Fragments: { Count: <= MostFragments } fragments } || !fragments.All(IsSound))
            return Problems.BadRequest("fragment-report", $"A report names its gateway and up to {MostFragments} services, each with its version.");
        await standings.TakeAsync(report, cancel);
        return TypedResults.NoContent();
    }

    private static bool IsSound(FragmentStanding? standing) => standing is { Service: { } service, Reasons: not null } && FragmentRules.IsName(service) && standing.Reasons.All(reason => reason is not null);
}
