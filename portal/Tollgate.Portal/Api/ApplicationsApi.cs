using System.Diagnostics;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Applications;
using Tollgate.Portal.Developer;
using Tollgate.ServiceDefaults;

namespace Tollgate.Portal.Api;

/// <summary>The applications of the caller's organisation.</summary>
internal static class ApplicationsApi
{
    public sealed record NewApplicationRequest(string Name, string? Description = null);

    public static void MapApplications(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/applications").WithTags("Applications");
        group.MapGet("", ListAsync).WithName("ListApplications");
        group.MapGet("/{id:guid}", GetAsync).WithName("GetApplication");
        group.MapPost("", CreateAsync).WithName("CreateApplication").RequireAuthorization(TollgatePolicies.CanManageApplications);
        group.MapDelete("/{id:guid}", DeleteAsync).WithName("DeleteApplication").RequireAuthorization(TollgatePolicies.CanManageApplications);
    }

    private static async Task<Ok<IReadOnlyList<ApplicationView>>> ListAsync(ClaimsPrincipal user, ApplicationService applications, CancellationToken cancel) =>
        TypedResults.Ok(await applications.ListAsync(user.Organisation(), cancel));

    private static async Task<Results<Ok<ApplicationView>, ProblemHttpResult>> GetAsync(
        Guid id, ClaimsPrincipal user, ApplicationService applications, CancellationToken cancel) =>
        await applications.GetAsync(user.Organisation(), new AppId(id), cancel) is { } found ? TypedResults.Ok(found) : Problems.NotFound();

    private static async Task<Results<Created<ApplicationView>, ProblemHttpResult>> CreateAsync(
        Body<NewApplicationRequest> body, ClaimsPrincipal user, ApplicationService applications, CancellationToken cancel) =>
        await applications.CreateAsync(user.Organisation(), body.Value.Name, body.Value.Description, cancel) switch
        {
            CreateApplicationOutcome.Created(var made) => TypedResults.Created($"/api/v1/applications/{made.Id}", made),
            CreateApplicationOutcome.Invalid(var errors) => Problems.Validation(errors),
            CreateApplicationOutcome.TooManyApplications(var limit) => Problems.Conflict("too-many-applications", $"An organisation holds at most {limit} applications."),
            CreateApplicationOutcome.OrganisationNotFound => Problems.NotFound(),
            var other => throw new UnreachableException(other.ToString()),
        };

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        Guid id, ClaimsPrincipal user, ApplicationRemoval removal, CancellationToken cancel) =>
        await removal.RemoveAsync(user.Organisation(), new AppId(id), cancel) ? TypedResults.NoContent() : Problems.NotFound();

    /// <summary>The caller's organisation; the policy of the group has made sure that there is one.</summary>
    public static OrganisationId Organisation(this ClaimsPrincipal user) =>
        user.OrganisationId() ?? throw new InvalidOperationException("The endpoint does not ask for a member.");
}
