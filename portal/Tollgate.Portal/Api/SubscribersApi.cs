using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Subscriptions;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Applications;
using Tollgate.Portal.Developer;

namespace Tollgate.Portal.Api;

/// <summary>What the platform does with anybody's subscription: approves, pauses, and moves it to plans that are not on public offer.</summary>
internal static class SubscribersApi
{
    public sealed record AssignRequest(OrganisationId Organisation, AppId Application, PlanId Plan);

    public sealed record ReassignRequest(PlanId Plan);

    /// <param name="Limit">One limit or quota by name; without it, all.</param>
    public sealed record ResetRequest(string? Limit = null);

    public static void MapSubscribers(this IEndpointRouteBuilder api)
    {
        var group = api.MapGroup("/subscriptions").WithTags("Admin").RequireAuthorization(TollgatePolicies.PlatformBilling);
        group.MapPost("", AssignAsync).WithName("AssignPlan").WithDescription("Subscribes an application to any plan of a product, a private one too, without an approval.");
        group.MapPut("/{id:guid}/plan", ReassignAsync).WithName("ReassignPlan");
        Map("approve", "ApproveSubscription", (desk, id, cancel) => desk.ApproveAsync(id, cancel));
        Map("reject", "RejectSubscription", (desk, id, cancel) => desk.RejectAsync(id, cancel));
        Map("pause", "PauseSubscription", (desk, id, cancel) => desk.PauseAsync(id, cancel));
        Map("resume", "ResumeSubscription", (desk, id, cancel) => desk.ResumeAsync(id, cancel));
        group.MapPost("/{id:guid}/reset-counters", ResetAsync).WithName("ResetCounters").RequireAuthorization(TollgatePolicies.PlatformAdmin)
            .WithDescription("Begins the subscription's counters anew on all gateways, within a second: the limit or quota named, or all. What was metered stays.");
        Map("move-to-latest", "MoveSubscription", (desk, id, cancel) => desk.MoveToLatestAsync(id, cancel));

        void Map(string verb, string name, Func<SubscriptionDesk, SubscriptionId, CancellationToken, Task<SubscriptionOutcome>> act) =>
            group.MapPost("/{id:guid}/" + verb, async (Guid id, SubscriptionDesk desk, CancellationToken cancel) =>
                SubscriptionsApi.Answer(await act(desk, new SubscriptionId(id), cancel))).WithName(name);
    }

    private static async Task<Results<Created<SubscriptionView>, Ok<SubscriptionView>, ProblemHttpResult>> ResetAsync(
        Guid id, Body<ResetRequest> body, SubscriptionDesk desk, CancellationToken cancel) =>
        SubscriptionsApi.Answer(await desk.ResetCountersAsync(new SubscriptionId(id), body.Value.Limit, cancel));

    private static async Task<Results<Created<SubscriptionView>, Ok<SubscriptionView>, ProblemHttpResult>> AssignAsync(
        Body<AssignRequest> body, SubscriptionDesk desk, CancellationToken cancel) =>
        SubscriptionsApi.Answer(await desk.AssignAsync(body.Value.Organisation, body.Value.Application, body.Value.Plan, cancel));

    private static async Task<Results<Created<SubscriptionView>, Ok<SubscriptionView>, ProblemHttpResult>> ReassignAsync(
        Guid id, Body<ReassignRequest> body, SubscriptionDesk desk, CancellationToken cancel) =>
        SubscriptionsApi.Answer(await desk.ReassignAsync(new SubscriptionId(id), body.Value.Plan, cancel));
}
