using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Subscriptions;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;
using Tollgate.Portal.Developer;
using Tollgate.ServiceDefaults;

namespace Tollgate.Portal.Api;

/// <summary>What the organisation's applications are subscribed to.</summary>
internal static class SubscriptionsApi
{
    public sealed record SubscribeRequest(AppId Application, PlanId Plan);

    public sealed record ChangePlanRequest(PlanId Plan);

    public static void MapSubscriptions(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/subscriptions").WithTags("Subscriptions");
        group.MapGet("", ListAsync).WithName("ListSubscriptions");
        group.MapPost("", SubscribeAsync).WithName("Subscribe").RequireAuthorization(TollgatePolicies.CanSubscribe);
        group.MapPut("/{id:guid}/plan", ChangePlanAsync).WithName("ChangePlan").RequireAuthorization(TollgatePolicies.CanSubscribe);
        group.MapDelete("/{id:guid}", CancelAsync).WithName("CancelSubscription").RequireAuthorization(TollgatePolicies.CanSubscribe);
    }

    private static async Task<Ok<IReadOnlyList<SubscriptionView>>> ListAsync(ClaimsPrincipal user, SubscriptionService subscriptions, CancellationToken cancel) =>
        TypedResults.Ok(await subscriptions.ListAsync(user.Organisation(), cancel));

    private static async Task<Results<Created<SubscriptionView>, Ok<SubscriptionView>, ProblemHttpResult>> SubscribeAsync(
        Body<SubscribeRequest> body, ClaimsPrincipal user, SubscriptionDesk desk, CancellationToken cancel) =>
        Answer(await desk.SubscribeAsync(user.Organisation(), body.Value.Application, body.Value.Plan, cancel));

    private static async Task<Results<Created<SubscriptionView>, Ok<SubscriptionView>, ProblemHttpResult>> ChangePlanAsync(
        Guid id, Body<ChangePlanRequest> body, ClaimsPrincipal user, SubscriptionDesk desk, CancellationToken cancel) =>
        Answer(await desk.ChangePlanAsync(user.Organisation(), new SubscriptionId(id), body.Value.Plan, cancel));

    private static async Task<Results<Created<SubscriptionView>, Ok<SubscriptionView>, ProblemHttpResult>> CancelAsync(
        Guid id, ClaimsPrincipal user, SubscriptionDesk desk, CancellationToken cancel) =>
        Answer(await desk.CancelAsync(user.Organisation(), new SubscriptionId(id), cancel));

    public static Results<Created<SubscriptionView>, Ok<SubscriptionView>, ProblemHttpResult> Answer(SubscriptionOutcome outcome) => outcome switch
    {
        SubscriptionOutcome.Subscribed(var made) => TypedResults.Created($"/api/v1/subscriptions/{made.Id}", made),
        SubscriptionOutcome.PendingApproval(var made) => TypedResults.Created($"/api/v1/subscriptions/{made.Id}", made),
        SubscriptionOutcome.Changed(var changed) => TypedResults.Ok(changed),
        SubscriptionOutcome.NotFound => Problems.NotFound(),
        SubscriptionOutcome.PlanNotFound => Problems.Validation(new Dictionary<string, string> { ["plan"] = SubscriptionDesk.Say(outcome).Sentence }),
        SubscriptionOutcome.CountersReset(var reset) => TypedResults.Ok(reset),
        SubscriptionOutcome.NoSuchLimit => Problems.Validation(new Dictionary<string, string> { ["limit"] = SubscriptionDesk.Say(outcome).Sentence }),
        _ => Problems.Conflict("subscription", SubscriptionDesk.Say(outcome).Sentence),
    };
}
