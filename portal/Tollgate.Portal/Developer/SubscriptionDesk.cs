using System.Diagnostics;
using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Subscriptions;
using Tollgate.Contracts;
using Tollgate.Identity.Applications;
using Tollgate.Identity.Audit;

namespace Tollgate.Portal.Developer;

/// <summary>
/// Changes subscriptions at somebody's word, and has it noted who that was: pages and API alike. Asks identity whether an application is the organisation's:
/// billing cannot know.
/// </summary>
internal sealed class SubscriptionDesk(ApplicationService applications, SubscriptionService subscriptions, AuditDiary diary)
{
    /// <summary><see cref="SubscriptionOutcome.NotFound"/> when the application is not there, or another organisation's.</summary>
    public async Task<SubscriptionOutcome> SubscribeAsync(OrganisationId organisation, AppId application, PlanId plan, CancellationToken cancel) =>
        await applications.GetAsync(organisation, application, cancel) is null
            ? new SubscriptionOutcome.NotFound()
            : await NoteAsync("subscription.made", subscriptions.SubscribeAsync(organisation, application, plan, cancel), cancel);

    public Task<SubscriptionOutcome> ChangePlanAsync(OrganisationId organisation, SubscriptionId id, PlanId plan, CancellationToken cancel) =>
        NoteAsync("subscription.plan-changed", subscriptions.ChangePlanAsync(organisation, id, plan, cancel), cancel);

    public Task<SubscriptionOutcome> CancelAsync(OrganisationId organisation, SubscriptionId id, CancellationToken cancel) =>
        NoteAsync("subscription.cancelled", subscriptions.CancelAsync(organisation, id, cancel), cancel);

    /// <summary>By the platform's staff: any plan, at once.</summary>
    public async Task<SubscriptionOutcome> AssignAsync(OrganisationId organisation, AppId application, PlanId plan, CancellationToken cancel) =>
        await applications.GetAsync(organisation, application, cancel) is null
            ? new SubscriptionOutcome.NotFound()
            : await NoteAsync("subscription.assigned", subscriptions.AssignAsync(organisation, application, plan, cancel), cancel);

    public Task<SubscriptionOutcome> ReassignAsync(SubscriptionId id, PlanId plan, CancellationToken cancel) =>
        NoteAsync("subscription.plan-changed", subscriptions.ReassignAsync(id, plan, cancel), cancel);

    public Task<SubscriptionOutcome> ApproveAsync(SubscriptionId id, CancellationToken cancel) =>
        NoteAsync("subscription.approved", subscriptions.ApproveAsync(id, cancel), cancel);

    public Task<SubscriptionOutcome> RejectAsync(SubscriptionId id, CancellationToken cancel) =>
        NoteAsync("subscription.rejected", subscriptions.RejectAsync(id, cancel), cancel);

    public Task<SubscriptionOutcome> PauseAsync(SubscriptionId id, CancellationToken cancel) =>
        NoteAsync("subscription.paused", subscriptions.PauseAsync(id, cancel), cancel);

    public Task<SubscriptionOutcome> ResumeAsync(SubscriptionId id, CancellationToken cancel) =>
        NoteAsync("subscription.resumed", subscriptions.ResumeAsync(id, cancel), cancel);

    public Task<SubscriptionOutcome> MoveToLatestAsync(SubscriptionId id, CancellationToken cancel) =>
        NoteAsync("subscription.version-moved", subscriptions.MoveToLatestAsync(id, cancel), cancel);

    /// <summary>Begins a subscription's counters anew on all gateways: the limit or quota named, or all.</summary>
    public async Task<SubscriptionOutcome> ResetCountersAsync(SubscriptionId id, string? limit, CancellationToken cancel)
    {
        var outcome = await subscriptions.ResetCountersAsync(id, limit, cancel);
        if (outcome is SubscriptionOutcome.CountersReset(var subscription))
            await diary.NoteAsync("subscription.counters-reset", limit is null ? id.ToString() : $"{id}: {limit}", "ok", cancel, subscription.Organisation);
        return outcome;
    }

    /// <summary>The outcome in a sentence, and whether it is what was wished for.</summary>
    public static (bool IsGood, string Sentence) Say(SubscriptionOutcome outcome) => outcome switch
    {
        SubscriptionOutcome.Subscribed(var s) => (true, $"Subscribed to {s.ProductTitle} {s.PlanTitle}. It is in force now."),
        SubscriptionOutcome.PendingApproval(var s) => (true, $"Asked for {s.ProductTitle} {s.PlanTitle}. It starts when an administrator approves it."),
        SubscriptionOutcome.Changed({ State: SubscriptionState.Cancelled } s) => (true, $"{s.ProductTitle} {s.PlanTitle} is cancelled."),
        SubscriptionOutcome.Changed(var s) => (true, $"{s.ProductTitle} is on {s.PlanTitle}, version {s.Version.Number}, {State(s.State)}."),
        SubscriptionOutcome.CountersReset(var s) => (true, $"The gateways count {s.ProductTitle} {s.PlanTitle} from nothing again. What was metered stays."),
        SubscriptionOutcome.NoSuchLimit(var names) => (false, names.Count == 0 ? "The plan has no limits and no quotas." : $"The plan has no limit or quota of this name. It has {string.Join(", ", names)}."),
        SubscriptionOutcome.AlreadySubscribed => (false, "The application is subscribed to this product already. Change its plan instead."),
        SubscriptionOutcome.PlanNotFound => (false, "This plan is no longer offered. Choose another."),
        SubscriptionOutcome.OtherProduct => (false, "The plan belongs to another product. Subscribe to that product instead."),
        SubscriptionOutcome.PlanNeedsApproval => (false, "This plan has to be approved: ask an administrator of the platform to move you."),
        SubscriptionOutcome.NotFound => (false, "It is no longer there."),
        SubscriptionOutcome.WrongState(var state) => (false, $"That cannot be done to a subscription that is {State(state)}."),
        _ => throw new UnreachableException(outcome.ToString()),
    };

    private async Task<SubscriptionOutcome> NoteAsync(string action, Task<SubscriptionOutcome> change, CancellationToken cancel)
    {
        var outcome = await change;
        if (ViewOf(outcome) is { } subscription) await diary.NoteAsync(action, subscription.Id.ToString(), "ok", cancel, subscription.Organisation);
        return outcome;
    }

    private static SubscriptionView? ViewOf(SubscriptionOutcome outcome) => outcome switch
    {
        SubscriptionOutcome.Subscribed(var made) => made,
        SubscriptionOutcome.PendingApproval(var asked) => asked,
        SubscriptionOutcome.Changed(var changed) => changed,
        _ => null,
    };

    private static string State(SubscriptionState state) => state switch
    {
        SubscriptionState.Pending => "waiting for approval",
        SubscriptionState.Active => "active",
        SubscriptionState.Paused => "paused",
        _ => "cancelled",
    };
}
