using System.Diagnostics;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.ManagementTokens;
using Tollgate.ServiceDefaults;

namespace Tollgate.Portal.Api;

/// <summary>Tokens of this API. The token itself is in the answer that makes it, and in no other; a token makes no other for its person.</summary>
internal static class TokensApi
{
    /// <summary>A new token with its secret, once.</summary>
    public sealed record NewToken(string Token, ManagementTokenView View);

    /// <summary>Whom a call speaks for, and how far it reaches.</summary>
    public sealed record WhoView(string Name, string? Email, Guid? Organisation, string? Role, string? PlatformRole, bool Token, IReadOnlyList<string> Scopes);

    public static void MapTokens(this IEndpointRouteBuilder api)
    {
        api.MapGet("/me", Me).WithName("WhoAmI").WithTags("Account");

        var own = api.MapGroup("/account/tokens").WithTags("Tokens").RequireAuthorization(TollgatePolicies.Person);
        own.MapGet("", ListOwnAsync).WithName("ListTokens");
        own.MapPost("", IssueOwnAsync).WithName("IssueToken").RequireAuthorization(TollgatePolicies.Member).AddEndpointFilter<RecentSignInOnly>();
        own.MapDelete("/{id:guid}", RevokeOwnAsync).WithName("RevokeToken");

        var all = api.MapGroup("/organisation/tokens").WithTags("Tokens").RequireAuthorization(TollgatePolicies.CanManageMembers);
        all.MapGet("", ListAsync).WithName("ListOrganisationTokens");
        all.MapPost("", IssueServiceAsync).WithName("IssueServiceToken").RequireAuthorization(TollgatePolicies.Person).AddEndpointFilter<RecentSignInOnly>();
        all.MapDelete("/{id:guid}", RevokeAsync).WithName("RevokeOrganisationToken");

        api.MapDelete("/admin/tokens/{id:guid}", RevokeAnyAsync).WithName("RevokeAnyToken").WithTags("Admin").RequireAuthorization(TollgatePolicies.PlatformAdmin);
    }

    private static Ok<WhoView> Me(ClaimsPrincipal user) => TypedResults.Ok(new WhoView(
        user.Identity?.Name ?? "", user.FindFirst(TollgateClaims.Email)?.Value, user.OrganisationId()?.Value, user.FindFirst(TollgateClaims.OrganisationRole)?.Value,
        user.FindFirst(TollgateClaims.PlatformRole)?.Value, user.IsToken(), [.. user.FindAll(TollgateClaims.Scope).Select(c => c.Value)]));

    private static async Task<Ok<IReadOnlyList<ManagementTokenView>>> ListOwnAsync(ClaimsPrincipal user, ManagementTokenService tokens, CancellationToken cancel) =>
        TypedResults.Ok(await tokens.ListOwnAsync(user.UserId(), cancel));

    private static async Task<Results<Created<NewToken>, ProblemHttpResult>> IssueOwnAsync(
        Body<NewManagementToken> body, HttpContext http, ManagementTokenService tokens, CancellationToken cancel) =>
        Answer("/api/v1/account/tokens", http, await tokens.IssuePersonalAsync(http.User.UserId(), http.User.Organisation(), body.Value, cancel));

    private static async Task<Results<NoContent, ProblemHttpResult>> RevokeOwnAsync(Guid id, ClaimsPrincipal user, ManagementTokenService tokens, CancellationToken cancel) =>
        await tokens.RevokeOwnAsync(user.UserId(), id, cancel) ? TypedResults.NoContent() : Problems.NotFound();

    private static async Task<Ok<IReadOnlyList<ManagementTokenView>>> ListAsync(ClaimsPrincipal user, ManagementTokenService tokens, CancellationToken cancel) =>
        TypedResults.Ok(await tokens.ListAsync(user.Organisation(), cancel));

    private static async Task<Results<Created<NewToken>, ProblemHttpResult>> IssueServiceAsync(
        Body<NewManagementToken> body, HttpContext http, ManagementTokenService tokens, CancellationToken cancel) =>
        Answer("/api/v1/organisation/tokens", http, await tokens.IssueServiceAsync(http.User.UserId(), http.User.Organisation(), body.Value, cancel));

    private static async Task<Results<NoContent, ProblemHttpResult>> RevokeAsync(Guid id, ClaimsPrincipal user, ManagementTokenService tokens, CancellationToken cancel) =>
        await tokens.RevokeAsync(user.Organisation(), id, cancel) ? TypedResults.NoContent() : Problems.NotFound();

    private static async Task<Results<NoContent, ProblemHttpResult>> RevokeAnyAsync(Guid id, ManagementTokenService tokens, CancellationToken cancel) =>
        await tokens.RevokeAnyAsync(id, cancel) ? TypedResults.NoContent() : Problems.NotFound();

    private static Results<Created<NewToken>, ProblemHttpResult> Answer(string path, HttpContext http, IssueTokenOutcome outcome)
    {
        http.Response.Headers.CacheControl = "no-store";
        return outcome switch
        {
            IssueTokenOutcome.Issued(var token) => TypedResults.Created($"{path}/{token.View.Id}", new NewToken(token.Secret, token.View)),
            IssueTokenOutcome.Invalid(var errors) => Problems.Validation(errors),
            IssueTokenOutcome.TooMany(var limit) => Problems.Conflict("too-many-tokens", $"There are {limit} live tokens already. Revoke one first."),
            IssueTokenOutcome.NotAllowed => Problems.Forbidden("role", "Your role does not reach this far. Ask an owner or admin of your organisation."),
            _ => throw new UnreachableException(outcome.ToString()),
        };
    }
}
