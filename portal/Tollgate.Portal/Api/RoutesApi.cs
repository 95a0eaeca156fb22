using System.Diagnostics;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Tollgate.Contracts.Fragments;
using Tollgate.Identity.Accounts;
using Tollgate.Portal.Admin;
using Tollgate.Publishing.Fragments;
using Tollgate.ServiceDefaults;

namespace Tollgate.Portal.Api;

/// <summary>Routes that services publish for themselves, from their own pipelines (docs/routes.md).</summary>
internal static class RoutesApi
{
    public sealed record ListedFragments(IReadOnlyList<FragmentView> Items);

    public sealed record FragmentHistory(string Service, IReadOnlyList<FragmentVersionView> Items);

    public sealed record RollBackRequest(long Version);

    /// <param name="Changed">False: the same words were in force already.</param>
    public sealed record PublishedFragment(FragmentView Fragment, bool Changed, IReadOnlyList<FragmentMistake> Warnings);

    /// <param name="Gateways">How the version stands on each gateway that was heard in the last minute and a half.</param>
    public sealed record StandingFragment(string Service, FragmentVersionView Version, string Content, IReadOnlyList<GatewayStandingView> Gateways);

    public sealed record CheckedFragment(FragmentDiff Diff, IReadOnlyList<FragmentMistake> Warnings);

    public static void MapRoutes(this IEndpointRouteBuilder api)
    {
        api.MapGet("/routes", ListAsync).WithName("ListRoutes").WithTags("Routes");
        var routes = api.MapGroup("/routes/{service}").WithTags("Routes");
        routes.MapGet("", GetAsync).WithName("GetRoutes");
        routes.MapPut("", PutAsync).WithName("PublishRoutes").Accepts<object>("application/json").WithMetadata(new RequestSizeLimitAttribute(FragmentRules.MostBytes + 1024));
        routes.MapDelete("", DeleteAsync).WithName("RemoveRoutes");
        routes.MapGet("/versions", HistoryAsync).WithName("ListRouteVersions");
        routes.MapGet("/versions/{version:long}", GetVersionAsync).WithName("GetRouteVersion");
        routes.MapGet("/diff", DiffAsync).WithName("DiffRoutes");
        routes.MapPost("/rollback", RollBackAsync).WithName("RollBackRoutes");
    }

    private static async Task<Ok<ListedFragments>> ListAsync(FragmentService fragments, CancellationToken cancel) =>
        TypedResults.Ok(new ListedFragments(await fragments.ListAsync(cancel)));

    private static async Task<Results<Ok<StandingFragment>, ProblemHttpResult>> GetAsync(string service, HttpResponse response, FragmentService fragments, FragmentStandings standings, CancellationToken cancel)
    {
        if (await fragments.GetAsync(service, null, cancel) is not { } found) return Unknown(service);
        response.Headers.ETag = $"\"{found.Version.Version}\"";
        return TypedResults.Ok(new StandingFragment(found.Service, found.Version, found.Content, await standings.OfAsync(service, found.Version.Version, cancel)));
    }

    private static async Task<Results<Ok<FragmentDetails>, ProblemHttpResult>> GetVersionAsync(string service, long version, FragmentService fragments, CancellationToken cancel) =>
        await fragments.GetAsync(service, version, cancel) is { } found ? TypedResults.Ok(found) : Problems.NotFound($"The service {service} has no version {version}.");

    private static async Task<Results<Ok<FragmentHistory>, ProblemHttpResult>> HistoryAsync(string service, FragmentService fragments, CancellationToken cancel) =>
        await fragments.HistoryAsync(service, cancel) is { Count: > 0 } versions ? TypedResults.Ok(new FragmentHistory(service, versions)) : Unknown(service);

    /// <summary>What the newest version changed, or what lies between two.</summary>
    private static async Task<Results<Ok<FragmentDiff>, ProblemHttpResult>> DiffAsync(string service, FragmentService fragments, CancellationToken cancel, long? from = null, long? to = null) =>
        await fragments.DiffAsync(service, from, to, cancel) is { } diff ? TypedResults.Ok(diff) : Problems.NotFound($"The service {service} has no such versions.");

    /// <summary>Puts a service's routes in force on every gateway. The body is the fragment itself, as its file holds it: <c>{ "Routes": [ … ] }</c>, comments and all.</summary>
    private static async Task<IResult> PutAsync(string service, HttpContext http, RouteDesk desk, CancellationToken cancel, bool dryRun = false)
    {
        if (!TryExpected(http.Request.Headers.IfMatch.ToString(), out var expected)) return Problems.BadRequest("if-match", "If-Match takes the version in quotes, as ETag said it.");
        string content;
        try
        {
            using var reader = new StreamReader(http.Request.Body, new UTF8Encoding(false, throwOnInvalidBytes: true));
            content = await reader.ReadToEndAsync(cancel);
        }
        catch (DecoderFallbackException)
        {
            return Problems.BadRequest("json", "The body is not UTF-8 text.");
        }
        catch (BadHttpRequestException large) when (large.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return Problems.Of(413, "too-large", "Too large", $"A fragment has at most {FragmentRules.MostBytes} bytes.");
        }

        return Answer(await desk.PublishAsync(service, content, By(http), expected, dryRun, cancel), service, http.Response);
    }

    private static async Task<IResult> RollBackAsync(string service, Body<RollBackRequest> body, HttpContext http, RouteDesk desk, CancellationToken cancel) =>
        Answer(await desk.RollBackAsync(service, body.Value.Version, By(http), cancel), service, http.Response);

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(string service, HttpContext http, RouteDesk desk, CancellationToken cancel) =>
        await desk.RemoveAsync(service, By(http), cancel) ? TypedResults.NoContent() : Unknown(service);

    private static IResult Answer(PublishOutcome outcome, string service, HttpResponse response)
    {
        switch (outcome)
        {
            case PublishOutcome.Published(var fragment, var warnings, var isNew, var changed):
                response.Headers.ETag = $"\"{fragment.Version}\"";
                var published = new PublishedFragment(fragment, changed, warnings);
                return isNew ? TypedResults.Created($"/api/v1/routes/{service}", published) : TypedResults.Ok(published);
            case PublishOutcome.Fits(var diff, var warnings):
                return TypedResults.Ok(new CheckedFragment(diff, warnings));
            case PublishOutcome.BadName:
                return Problems.BadRequest("service-name", FragmentRules.NameSentence);
            case PublishOutcome.TooLarge:
                return Problems.Of(413, "too-large", "Too large", $"A fragment has at most {FragmentRules.MostBytes} bytes.");
            case PublishOutcome.Mistaken(var mistakes):
                return Problems.Of(422, "fragment-mistaken", "The routes cannot go live",
                    $"{string.Join(' ', mistakes.Take(3).Select(one => $"Line {one.Line}{(one.Property.Length > 0 ? ", " + one.Property : "")}: {one.Sentence}"))} What was in force stays so.",
                    new() { ["errors"] = mistakes });
            case PublishOutcome.Conflicts(var conflicts):
                return Problems.Of(409, "route-conflict", "Somebody else owns these paths",
                    $"{string.Join(' ', conflicts.Take(3).Select(one => $"{one.Service} claims {one.Claim} (line {one.Line}), which {one.Owner} owns with {one.Owned} (line {one.OwnedLine})."))} Nothing was changed.",
                    new() { ["owners"] = conflicts.Select(one => one.Owner).Prepend(service).Distinct().ToArray(), ["conflicts"] = conflicts });
            case PublishOutcome.Outdated(var version):
                return Problems.Of(412, "outdated", "Somebody was quicker", $"Version {version} is in force by now. Look at it, and publish again.", new() { ["version"] = version });
            case PublishOutcome.NotFound:
                return Problems.NotFound($"The service {service} has no such version with routes.");
            default:
                throw new UnreachableException(outcome.ToString());
        }
    }

    private static bool TryExpected(string ifMatch, out long? version)
    {
        version = null;
        if (ifMatch.Length == 0) return true;
        if (!long.TryParse(ifMatch.Trim().Trim('"'), out var number)) return false;
        version = number;
        return true;
    }

    private static string By(HttpContext http) => http.User.Identity?.Name ?? "unknown";

    private static ProblemHttpResult Unknown(string service) => Problems.NotFound($"The service {service} has no routes.");
}
