using System.Diagnostics;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Organisations;
using Tollgate.ServiceDefaults;

namespace Tollgate.Portal.Api;

/// <summary>The caller's organisation: its members, those who are invited, and the other organisations that the caller may look at instead.</summary>
internal static class OrganisationApi
{
    public sealed record NameRequest(string Name);

    public sealed record RoleRequest(OrganisationRole Role);

    public sealed record InviteRequest(string Email, OrganisationRole Role);

    public sealed record MemberRequest(Guid Member);

    public sealed record AcceptRequest(string Code);

    public static void MapOrganisations(this IEndpointRouteBuilder api)
    {
        var mine = api.MapGroup("/organisations").WithTags("Organisations").RequireAuthorization(TollgatePolicies.Person);
        mine.MapPost("", CreateAsync).WithName("CreateOrganisation");
        mine.MapPost("/{id:guid}/choose", ChooseAsync).WithName("ChooseOrganisation");
        api.MapPost("/invitations/accept", AcceptAsync).WithName("AcceptInvitation").WithTags("Organisations").RequireAuthorization(TollgatePolicies.Person);

        api.MapGet("/organisations", MineAsync).WithName("ListOrganisations").WithTags("Organisations").RequireAuthorization(TollgatePolicies.SomebodysOwn);

        var one = api.MapGroup("/organisation").WithTags("Organisations").RequireAuthorization(TollgatePolicies.Member);
        one.MapGet("", GetAsync).WithName("GetOrganisation");
        one.MapPut("", RenameAsync).WithName("RenameOrganisation").RequireAuthorization(TollgatePolicies.CanManageMembers, TollgatePolicies.InSomebodysName);
        one.MapGet("/members", MembersAsync).WithName("ListMembers");
        one.MapPut("/members/{id:guid}", ChangeRoleAsync).WithName("ChangeMemberRole").RequireAuthorization(TollgatePolicies.CanManageMembers, TollgatePolicies.InSomebodysName);
        one.MapDelete("/members/{id:guid}", RemoveAsync).WithName("RemoveMember").RequireAuthorization(TollgatePolicies.CanManageMembers, TollgatePolicies.InSomebodysName);
        one.MapPost("/leave", LeaveAsync).WithName("LeaveOrganisation").RequireAuthorization(TollgatePolicies.Person);
        one.MapPost("/transfer", HandOverAsync).WithName("TransferOrganisation").RequireAuthorization(TollgatePolicies.Owner, TollgatePolicies.Person).AddEndpointFilter<RecentSignInOnly>();

        var invitations = one.MapGroup("/invitations").RequireAuthorization(TollgatePolicies.CanManageMembers);
        invitations.MapGet("", InvitationsAsync).WithName("ListInvitations");
        invitations.MapPost("", InviteAsync).WithName("InviteMember").RequireAuthorization(TollgatePolicies.InSomebodysName);
        invitations.MapDelete("/{id:guid}", WithdrawAsync).WithName("WithdrawInvitation");
    }

    private static async Task<Ok<IReadOnlyList<MyOrganisation>>> MineAsync(ClaimsPrincipal user, MembershipService members, CancellationToken cancel) =>
        TypedResults.Ok(await members.MineAsync(user.UserId(), cancel));

    private static async Task<Results<Created<MyOrganisation>, NoContent, ProblemHttpResult>> CreateAsync(
        Body<NameRequest> body, ClaimsPrincipal user, MembershipService members, CancellationToken cancel) =>
        await members.CreateAsync(user.UserId(), body.Value.Name, cancel) is var outcome && outcome is MembershipOutcome.Made(var made)
            ? TypedResults.Created("/api/v1/organisation", made)
            : Refuse(outcome);

    private static async Task<Results<NoContent, ProblemHttpResult>> ChooseAsync(Guid id, ClaimsPrincipal user, MembershipService members, CancellationToken cancel) =>
        await members.ChooseAsync(user.UserId(), new OrganisationId(id), cancel) ? TypedResults.NoContent() : Problems.NotFound();

    private static async Task<Results<NoContent, ProblemHttpResult>> AcceptAsync(
        Body<AcceptRequest> body, ClaimsPrincipal user, InvitationService invitations, CancellationToken cancel) =>
        Answer(await invitations.AcceptAsync(user.UserId(), body.Value.Code, cancel));

    private static async Task<Results<Ok<OrganisationView>, ProblemHttpResult>> GetAsync(ClaimsPrincipal user, OrganisationService organisations, CancellationToken cancel) =>
        await organisations.GetAsync(user.Organisation(), cancel) is { } found ? TypedResults.Ok(found) : Problems.NotFound();

    private static async Task<Results<NoContent, ProblemHttpResult>> RenameAsync(Body<NameRequest> body, ClaimsPrincipal user, MembershipService members, CancellationToken cancel) =>
        Answer(await members.RenameAsync(user.UserId(), user.Organisation(), body.Value.Name, cancel));

    private static async Task<Ok<IReadOnlyList<MemberView>>> MembersAsync(ClaimsPrincipal user, MembershipService members, CancellationToken cancel) =>
        TypedResults.Ok(await members.ListAsync(user.Organisation(), cancel));

    private static async Task<Results<NoContent, ProblemHttpResult>> ChangeRoleAsync(
        Guid id, Body<RoleRequest> body, ClaimsPrincipal user, MembershipService members, CancellationToken cancel) =>
        Answer(await members.ChangeRoleAsync(user.UserId(), user.Organisation(), id, body.Value.Role, cancel));

    private static async Task<Results<NoContent, ProblemHttpResult>> RemoveAsync(Guid id, ClaimsPrincipal user, MembershipService members, CancellationToken cancel) =>
        Answer(await members.RemoveAsync(user.UserId(), user.Organisation(), id, cancel));

    private static async Task<Results<NoContent, ProblemHttpResult>> LeaveAsync(ClaimsPrincipal user, MembershipService members, CancellationToken cancel) =>
        Answer(await members.RemoveAsync(user.UserId(), user.Organisation(), user.UserId(), cancel));

    private static async Task<Results<NoContent, ProblemHttpResult>> HandOverAsync(Body<MemberRequest> body, ClaimsPrincipal user, MembershipService members, CancellationToken cancel) =>
        Answer(await members.HandOverAsync(user.UserId(), user.Organisation(), body.Value.Member, cancel));

    private static async Task<Ok<IReadOnlyList<InvitationView>>> InvitationsAsync(ClaimsPrincipal user, InvitationService invitations, CancellationToken cancel) =>
        TypedResults.Ok(await invitations.ListAsync(user.Organisation(), cancel));

    private static async Task<Results<Created<InvitationView>, ProblemHttpResult>> InviteAsync(
        Body<InviteRequest> body, ClaimsPrincipal user, InvitationService invitations, CancellationToken cancel) =>
        await invitations.InviteAsync(user.UserId(), user.Organisation(), body.Value.Email, body.Value.Role, cancel) is var outcome && outcome is MembershipOutcome.Invited(var invited)
            ? TypedResults.Created($"/api/v1/organisation/invitations/{invited.Id}", invited)
            : Refuse(outcome);

    private static async Task<Results<NoContent, ProblemHttpResult>> WithdrawAsync(Guid id, ClaimsPrincipal user, InvitationService invitations, CancellationToken cancel) =>
        await invitations.WithdrawAsync(user.Organisation(), id, cancel) ? TypedResults.NoContent() : Problems.NotFound();

    private static Results<NoContent, ProblemHttpResult> Answer(MembershipOutcome outcome) =>
        outcome is MembershipOutcome.Done ? TypedResults.NoContent() : Refuse(outcome);

    private static ProblemHttpResult Refuse(MembershipOutcome outcome) => outcome switch
    {
        MembershipOutcome.Invalid(var errors) => Problems.Validation(errors),
        MembershipOutcome.NotFound => Problems.NotFound(),
        MembershipOutcome.NotAllowed => Problems.Forbidden("role", Membership.Say(outcome)),
        MembershipOutcome.ForSomebodyElse => Problems.Forbidden("invitation", Membership.Say(outcome)),
        MembershipOutcome.LastOwner => Problems.Conflict("last-owner", Membership.Say(outcome)),
        MembershipOutcome.AlreadyMember => Problems.Conflict("already-member", Membership.Say(outcome)),
        MembershipOutcome.TooMany => Problems.Conflict("too-many", Membership.Say(outcome)),
        _ => throw new UnreachableException(outcome.ToString()),
    };
}

/// <summary>Says in a sentence what became of a wish about members.</summary>
internal static class Membership
{
    public static string Say(MembershipOutcome outcome) => outcome switch
    {
        MembershipOutcome.Invalid(var errors) => string.Join(' ', errors.Values),
        MembershipOutcome.NotFound => "There is no such member or invitation any more.",
        MembershipOutcome.NotAllowed => "Your role does not reach this far: only owners make and unmake owners.",
        MembershipOutcome.ForSomebodyElse => "The invitation is for another address than yours.",
        MembershipOutcome.LastOwner => "An organisation has an owner. Make another member the owner first.",
        MembershipOutcome.AlreadyMember => "They are a member already.",
        MembershipOutcome.TooMany(var limit) => $"There are {limit} already, which is as many as there may be.",
        _ => "Done.",
    };
}
