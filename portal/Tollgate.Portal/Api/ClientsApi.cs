using System.Diagnostics;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Applications;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.ServiceDefaults;
using Tollgate.Storage;

namespace Tollgate.Portal.Api;

/// <summary>The OAuth clients of an application. A secret is in the answer that makes it, and in no other.</summary>
internal static class ClientsApi
{
    /// <param name="OverlapMinutes">How long the old secret lives on beside the new one.</param>
    public sealed record RotateSecretRequest(int OverlapMinutes);

    /// <param name="Version">What was seen of the client; 409 when it was changed since.</param>
    public sealed record ChangeClientRequest(int Version, ClientForm Client);

    /// <summary>A client, and its new secret, once.</summary>
    public sealed record NewClient(string? Secret, ClientView Client);

    public static void MapClients(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/applications/{application:guid}/clients").WithTags("Clients");
        group.MapGet("", ListAsync).WithName("ListClients");
        group.MapPost("", CreateAsync).WithName("CreateClient").RequireAuthorization(TollgatePolicies.CanManageApplications);
        group.MapPut("/{client}", ChangeAsync).WithName("ChangeClient").RequireAuthorization(TollgatePolicies.CanManageApplications);
        group.MapDelete("/{client}", DeleteAsync).WithName("DeleteClient").RequireAuthorization(TollgatePolicies.CanManageApplications);
        group.MapPost("/{client}/rotate", RotateAsync).WithName("RotateClientSecret").RequireAuthorization(TollgatePolicies.CanManageApplications);
        group.MapDelete("/{client}/secrets/{secret:guid}", RevokeSecretAsync).WithName("RevokeClientSecret").RequireAuthorization(TollgatePolicies.CanManageApplications);
    }

    /// <summary>All clients, for platform admins.</summary>
    public static void MapClientAdministration(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/clients").WithTags("Admin");
        group.MapGet("", ListAllAsync).WithName("ListAllClients");
        group.MapPost("/{client}/disable", (string client, ClientService clients, CancellationToken cancel) => DisableAsync(client, true, clients, cancel)).WithName("DisableClient").RequireAuthorization(TollgatePolicies.PlatformAdmin);
        group.MapPost("/{client}/enable", (string client, ClientService clients, CancellationToken cancel) => DisableAsync(client, false, clients, cancel)).WithName("EnableClient").RequireAuthorization(TollgatePolicies.PlatformAdmin);
    }

    private static async Task<Results<Ok<IReadOnlyList<ClientView>>, ProblemHttpResult>> ListAsync(
        Guid application, ClaimsPrincipal user, ApplicationService applications, ClientService clients, CancellationToken cancel) =>
        await applications.GetAsync(user.Organisation(), new AppId(application), cancel) is null
            ? Problems.NotFound()
            : TypedResults.Ok(await clients.ListAsync(user.Organisation(), new AppId(application), cancel));

    private static async Task<Results<Created<NewClient>, ProblemHttpResult>> CreateAsync(
        Guid application, Body<ClientForm> body, HttpContext http, ClientService clients, CancellationToken cancel) =>
        Answer(application, http, await clients.CreateAsync(http.User.Organisation(), new AppId(application), body.Value, cancel));

    private static async Task<Results<Created<NewClient>, ProblemHttpResult>> RotateAsync(
        Guid application, string client, Body<RotateSecretRequest> body, HttpContext http, ClientService clients, CancellationToken cancel) =>
        Answer(application, http, await clients.RotateAsync(http.User.Organisation(), new AppId(application), client, TimeSpan.FromMinutes(body.Value.OverlapMinutes), cancel));

    private static async Task<Results<Ok<ClientView>, ProblemHttpResult>> ChangeAsync(
        Guid application, string client, Body<ChangeClientRequest> body, ClaimsPrincipal user, ClientService clients, CancellationToken cancel) =>
        await clients.UpdateAsync(user.Organisation(), new AppId(application), client, body.Value.Version, body.Value.Client, cancel) switch
        {
            ClientOutcome.Done(var changed) => TypedResults.Ok(changed.Client),
            var outcome => Refuse(outcome),
        };

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        Guid application, string client, ClaimsPrincipal user, ClientService clients, CancellationToken cancel) =>
        await clients.DeleteAsync(user.Organisation(), new AppId(application), client, cancel) ? TypedResults.NoContent() : Problems.NotFound();

    private static async Task<Results<NoContent, ProblemHttpResult>> RevokeSecretAsync(
        Guid application, string client, Guid secret, ClaimsPrincipal user, ClientService clients, CancellationToken cancel) =>
        await clients.RevokeSecretAsync(user.Organisation(), new AppId(application), client, secret, cancel) ? TypedResults.NoContent() : Problems.NotFound();

    private static async Task<Results<Ok<Page<ClientView>>, ProblemHttpResult>> ListAllAsync(string? q, int? page, ClientService clients, CancellationToken cancel) =>
        page is < 1 ? Problems.BadRequest("parameter", "page is a number from 1.") : TypedResults.Ok(await clients.ListAllAsync(q, page ?? 1, cancel));

    private static async Task<Results<NoContent, ProblemHttpResult>> DisableAsync(string client, bool disabled, ClientService clients, CancellationToken cancel) =>
        await clients.DisableAsync(client, disabled, cancel) ? TypedResults.NoContent() : Problems.NotFound();

    private static Results<Created<NewClient>, ProblemHttpResult> Answer(Guid application, HttpContext http, ClientOutcome outcome)
    {
        http.Response.Headers.CacheControl = "no-store";
        return outcome switch
        {
            ClientOutcome.Done(var made) => TypedResults.Created($"/api/v1/applications/{application}/clients/{made.Client.ClientId}", new NewClient(made.Secret, made.Client)),
            _ => Refuse(outcome),
        };
    }

    private static ProblemHttpResult Refuse(ClientOutcome outcome) => outcome switch
    {
        ClientOutcome.Invalid(var errors) => Problems.Validation(errors),
        ClientOutcome.TooMany(var limit) => Problems.Conflict("too-many-clients", $"An application holds at most {limit} clients. Delete one first."),
        ClientOutcome.Stale => Problems.Conflict("version", "Somebody else changed the client meanwhile. Read it again, and change what it says now."),
        ClientOutcome.NotFound => Problems.NotFound(),
        _ => throw new UnreachableException(outcome.ToString()),
    };
}
