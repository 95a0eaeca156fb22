using System.Diagnostics;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Applications;
using Tollgate.Identity.Keys;
using Tollgate.ServiceDefaults;

namespace Tollgate.Portal.Api;

/// <summary>The API keys of an application. The key itself is in the answer that makes it, and in no other.</summary>
internal static class KeysApi
{
    /// <param name="OverlapMinutes">How long the old key lives on beside the new one.</param>
    public sealed record RotateRequest(int OverlapMinutes);

    /// <summary>A new key with its secret, once.</summary>
    public sealed record NewKey(string Key, KeyView View);

    public static void MapKeys(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/applications/{application:guid}/keys").WithTags("Keys");
        group.MapGet("", ListAsync).WithName("ListKeys");
        group.MapPost("", IssueAsync).WithName("IssueKey").RequireAuthorization(TollgatePolicies.CanManageApplications);
        group.MapPost("/import", ImportAsync).WithName("ImportKey").RequireAuthorization(TollgatePolicies.CanManageApplications);
        group.MapDelete("/{key:guid}", RevokeAsync).WithName("RevokeKey").RequireAuthorization(TollgatePolicies.CanManageApplications);
        group.MapPost("/{key:guid}/rotate", RotateAsync).WithName("RotateKey").RequireAuthorization(TollgatePolicies.CanManageApplications);
    }

    private static async Task<Results<Ok<IReadOnlyList<KeyView>>, ProblemHttpResult>> ListAsync(
        Guid application, ClaimsPrincipal user, ApplicationService applications, KeyService keys, CancellationToken cancel) =>
        await applications.GetAsync(user.Organisation(), new AppId(application), cancel) is null
            ? Problems.NotFound()
            : TypedResults.Ok(await keys.ListAsync(user.Organisation(), new AppId(application), cancel));

    private static async Task<Results<Created<NewKey>, ProblemHttpResult>> IssueAsync(
        Guid application, Body<IssueKeyRequest> body, HttpContext http, KeyService keys, CancellationToken cancel) =>
        Answer(application, http, await keys.IssueAsync(http.User.Organisation(), new AppId(application), body.Value, cancel));

    private static async Task<Results<Created<KeyView>, ProblemHttpResult>> ImportAsync(
        Guid application, Body<ImportKeyRequest> body, HttpContext http, KeyService keys, CancellationToken cancel) =>
        await keys.ImportAsync(http.User.Organisation(), new AppId(application), body.Value, cancel) switch
        {
            IssueKeyOutcome.Imported(var key) => TypedResults.Created($"/api/v1/applications/{application}/keys/{key.Id}", key),
            var outcome => Refuse(outcome),
        };

    private static async Task<Results<Created<NewKey>, ProblemHttpResult>> RotateAsync(
        Guid application, Guid key, Body<RotateRequest> body, HttpContext http, KeyService keys, CancellationToken cancel) =>
        Answer(application, http, await keys.RotateAsync(
            http.User.Organisation(), new AppId(application), new ApiKeyId(key), TimeSpan.FromMinutes(body.Value.OverlapMinutes), cancel));

    private static async Task<Results<NoContent, ProblemHttpResult>> RevokeAsync(
        Guid application, Guid key, ClaimsPrincipal user, KeyService keys, CancellationToken cancel) =>
        await keys.RevokeAsync(user.Organisation(), new AppId(application), new ApiKeyId(key), cancel) ? TypedResults.NoContent() : Problems.NotFound();

    private static Results<Created<NewKey>, ProblemHttpResult> Answer(Guid application, HttpContext http, IssueKeyOutcome outcome)
    {
        http.Response.Headers.CacheControl = "no-store";
        return outcome switch
        {
            IssueKeyOutcome.Issued(var key) => TypedResults.Created($"/api/v1/applications/{application}/keys/{key.View.Id}", new NewKey(key.Secret, key.View)),
            _ => Refuse(outcome),
        };
    }

    private static ProblemHttpResult Refuse(IssueKeyOutcome outcome) => outcome switch
    {
        IssueKeyOutcome.Invalid(var errors) => Problems.Validation(errors),
        IssueKeyOutcome.TooManyKeys(var limit) => Problems.Conflict("too-many-keys", $"An application holds at most {limit} live keys. Revoke one first."),
        IssueKeyOutcome.KeyTaken => Problems.Conflict("key-taken", "This key is known already. A key belongs to one application."),
        IssueKeyOutcome.ApplicationNotFound or IssueKeyOutcome.KeyNotFound => Problems.NotFound(),
        _ => throw new UnreachableException(outcome.ToString()),
    };
}
