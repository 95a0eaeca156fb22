using System.Diagnostics;
using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Subscriptions;
using Tollgate.Contracts;
using Tollgate.Identity.Applications;

namespace Tollgate.Portal.Developer;

/// <summary>Subscribes an application, having asked identity whether it is the organisation's: billing cannot know.</summary>
internal sealed class SubscriptionDesk(ApplicationService applications, SubscriptionService subscriptions)
{
    /// <summary><see cref="SubscriptionOutcome.NotFound"/> when the application is not there, or another organisation's.</summary>
    public async Task<SubscriptionOutcome> SubscribeAsync(OrganisationId organisation, AppId application, PlanId plan, CancellationToken cancel) =>
        await applications.GetAsync(organisation, application, cancel) is null
            ? new SubscriptionOutcome.NotFound()
            : await subscriptions.SubscribeAsync(organisation, application, plan, cancel);

    /// <summary>The same by the platform's staff: any plan, at once.</summary>
    public async Task<SubscriptionOutcome> AssignAsync(OrganisationId organisation, AppId application, PlanId plan, CancellationToken cancel) =>
        await applications.GetAsync(organisation, application, cancel) is null
            ? new SubscriptionOutcome.NotFound()
            : await subscriptions.AssignAsync(organisation, application, plan, cancel);

    /// <summary>The outcome in a sentence, and whether it is what was wished for.</summary>
    public static (bool IsGood, string Sentence) Say(SubscriptionOutcome outcome) => outcome switch
    {
        SubscriptionOutcome.Subscribed(var s) => (true, $"Subscribed to {s.ProductTitle} {s.PlanTitle}. It is in force now."),
        SubscriptionOutcome.PendingApproval(var s) => (true, $"Asked for {s.ProductTitle} {s.PlanTitle}. It starts when an administrator approves it."),
        SubscriptionOutcome.Changed({ State: SubscriptionState.Cancelled } s) => (true, $"{s.ProductTitle} {s.PlanTitle} is cancelled."),
        SubscriptionOutcome.Changed(var s) => (true, $"{s.ProductTitle} is on {s.PlanTitle}, version {s.Version.Number}, {State(s.State)}."),
        SubscriptionOutcome.AlreadySubscribed => (false, "The application is subscribed to this product already. Change its plan instead."),
        SubscriptionOutcome.PlanNotFound => (false, "This plan is no longer offered. Choose another."),
        SubscriptionOutcome.OtherProduct => (false, "The plan belongs to another product. Subscribe to that product instead."),
        SubscriptionOutcome.PlanNeedsApproval => (false, "This plan has to be approved: ask an administrator of the platform to move you."),
        SubscriptionOutcome.NotFound => (false, "It is no longer there."),
        SubscriptionOutcome.WrongState(var state) => (false, $"That cannot be done to a subscription that is {State(state)}."),
        _ => throw new UnreachableException(outcome.ToString()),
    };

    private static string State(SubscriptionState state) => state switch
    {
        SubscriptionState.Pending => "waiting for approval",
        SubscriptionState.Active => "active",
        SubscriptionState.Paused => "paused",
        _ => "cancelled",
    };
}
