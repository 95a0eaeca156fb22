using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Template;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Tollgate.Identity;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.ManagementTokens;
using Tollgate.Identity.OAuth.Conformance;
using Tollgate.ServiceDefaults;
using Tollgate.ServiceDefaults.Jose;

namespace Tollgate.Portal.Api;

/// <summary>The management API: everything the portal can do, as JSON under <c>/api/v1</c>, for the same people, and programs with their tokens, with the same rights.</summary>
internal static class ManagementApi
{
    public const string Root = "/api";
    private const string Version = "/api/v1";
    private const long MostBytes = 64 * 1024;

    public static void AddManagementApi(this IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower)));
        services.AddOpenApi("v1", openApi => openApi.ShouldInclude = api => api.RelativePath?.StartsWith("api/v1", StringComparison.Ordinal) == true);
    }

    /// <summary>Gives a problem document to answers that the framework leaves empty: 401, 403, 404, 405, 415.</summary>
    public static void UseManagementApiProblems(this IApplicationBuilder app) =>
        app.UseWhen(http => http.Request.Path.StartsWithSegments(Root), api => api.UseStatusCodePages(answer => ExplainAsync(answer.HttpContext)));

    public static void MapManagementApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/.well-known/oauth-protected-resource" + Version, Metadata).AllowAnonymous();
        var all = endpoints.MapGroup(Version)
            .RequireAuthorization()
            .DisableAntiforgery()    // the filter below stands in for form tokens
            .AddEndpointFilter<OwnOriginOnly>()
            .AddEndpointFilter<ReadableBody>()
            .WithMetadata(new RequestSizeLimitAttribute(MostBytes));

        all.MapProducts();
        var members = all.MapGroup("").RequireAuthorization(TollgatePolicies.Member);
        members.MapApplications();
        members.MapKeys();
        members.MapClients();
        members.MapSubscriptions();
        members.MapUsage();
        members.MapExplain();
        all.MapTokens();
        all.MapOrganisations();
        all.MapAudit();
        var staff = all.MapGroup("/admin").RequireAuthorization(TollgatePolicies.PlatformStaff);
        staff.MapAdmin();
        staff.MapAdminExplain();
        staff.MapStaff();
        staff.MapGet("/conformance", async (ConformanceService service, CancellationToken cancel) => TypedResults.Ok(await service.ReportAsync(cancel)))
            .WithName("GetConformance").WithTags("Admin").WithDescription("How the issuer and its clients stand to OAuth 2.1 and FAPI 2.0.");
        var routes = all.MapGroup("").RequireAuthorization(TollgatePolicies.CanPublishRoutes);
        routes.MapRoutes();
        routes.MapGateways();
    }

    /// <summary><c>/openapi/v1.json</c>: the description of this API.</summary>
    public static void MapOpenApiDocuments(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapOpenApi().AllowAnonymous();
        endpoints.MapProductDocuments();
    }

    /// <summary>Who gives tokens for this API (RFC 9728): that is how <c>tollgate login</c> finds its way.</summary>
    private static IResult Metadata(IOptions<TollgateIdentityOptions> options) => Results.Json(new Dictionary<string, object>
    {
        ["resource"] = ManagementApiScopes.Audience(options.Value),
        ["authorization_servers"] = new[] { options.Value.IssuerName },
        ["scopes_supported"] = ManagementApiScopes.All,
        ["bearer_methods_supported"] = new[] { "header" },
        ["dpop_signing_alg_values_supported"] = PublicJwk.SignatureAlgorithms,
    });

    /// <summary>Whether an endpoint of this API has the request's address, whatever its methods are.</summary>
    private static bool IsThere(HttpContext http) => http.RequestServices.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        .Any(endpoint => endpoint.RoutePattern.RawText is { } path && path.TrimStart('/').StartsWith(Version[1..], StringComparison.Ordinal)
            && new TemplateMatcher(new RouteTemplate(endpoint.RoutePattern), []).TryMatch(http.Request.Path, []));

    private static Task ExplainAsync(HttpContext http)
    {
        var withToken = http.Request.Headers.Authorization.Count > 0;
        if (http.Response.StatusCode == StatusCodes.Status405MethodNotAllowed && !IsThere(http))
        {
            // The portal has an answer to a GET of anything, which says nothing of this address.
            http.Response.Headers.Remove("Allow");
            http.Response.StatusCode = StatusCodes.Status404NotFound;
        }

        var problem = http.Response.StatusCode switch
        {
            400 when UnreadableParameter.Of(http) is { } sentence => Problems.BadRequest("parameter", sentence),
            401 when withToken => Problems.Unauthorized("invalid-token", "The token is unknown, expired or revoked. Make another under /account/tokens."),
            401 => Problems.Unauthorized("not-signed-in", "Send a token (Authorization: Bearer tg_pat_…, made under /account/tokens), or the session cookie of /account/sign-in."),
            403 when http.User.IsToken() => Problems.Forbidden("scope", "The token's scopes, or the role behind it, do not reach this far."),
            403 => Problems.Forbidden("role", "Your role does not reach this far. Ask an owner or admin of your organisation."),
            404 => Problems.NotFound(),
            405 => Problems.Of(405, "method", "Not this way", $"{http.Request.Method} is not offered here; the Allow header says what is."),
            413 => Problems.Of(413, "too-large", "Too large", "The body is larger than this call takes."),
            415 => Problems.Of(415, "content-type", "Not this kind of content", "Send Content-Type: application/json."),
            var status => Problems.Of(status, "request", "The request is not valid", "The request cannot be read. Compare it with /openapi/v1.json."),
        };
        if (http.Response.StatusCode == 401 && !withToken) http.Response.Headers.WWWAuthenticate = "Bearer realm=\"tollgate\"";
        return problem.ExecuteAsync(http);
    }
}
