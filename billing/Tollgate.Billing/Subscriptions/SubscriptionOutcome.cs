namespace Tollgate.Billing.Subscriptions;

/// <summary>What became of a wish about a subscription.</summary>
public abstract record SubscriptionOutcome
{
    private SubscriptionOutcome()
    {
    }

    /// <summary>It runs.</summary>
    public sealed record Subscribed(SubscriptionView Subscription) : SubscriptionOutcome;

    /// <summary>It runs once somebody approves it.</summary>
    public sealed record PendingApproval(SubscriptionView Subscription) : SubscriptionOutcome;

    /// <summary>It is as was asked for.</summary>
    public sealed record Changed(SubscriptionView Subscription) : SubscriptionOutcome;

    /// <summary>Gateways begin its counters anew.</summary>
    public sealed record CountersReset(SubscriptionView Subscription) : SubscriptionOutcome;

    /// <summary>Its plan has no limit or quota of this name.</summary>
    public sealed record NoSuchLimit(IReadOnlyList<string> Names) : SubscriptionOutcome;

    /// <summary>The application has a subscription to this product already.</summary>
    public sealed record AlreadySubscribed : SubscriptionOutcome;

    /// <summary>There is no such plan, or it is not offered.</summary>
    public sealed record PlanNotFound : SubscriptionOutcome;

    /// <summary>The plan belongs to another product than the subscription.</summary>
    public sealed record OtherProduct : SubscriptionOutcome;

    /// <summary>Somebody has to approve this plan: an admin makes the change.</summary>
    public sealed record PlanNeedsApproval : SubscriptionOutcome;

    /// <summary>There is no such subscription, or it is another organisation's.</summary>
    public sealed record NotFound : SubscriptionOutcome;

    /// <summary>It cannot be done to a subscription in this state.</summary>
    public sealed record WrongState(SubscriptionState State) : SubscriptionOutcome;
}
