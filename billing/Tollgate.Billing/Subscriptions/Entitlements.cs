using Tollgate.Billing.Catalogue;
using Tollgate.Contracts.Feeds;

namespace Tollgate.Billing.Subscriptions;

/// <summary>What the gateways hear of a subscription: everything but the prices.</summary>
internal static class Entitlements
{
    public static FeedItem Of(Subscription subscription, string product, string plan, PlanVersion version)
    {
        if (subscription.State == SubscriptionState.Cancelled && subscription.Terms.Count == 0)
            return new RemovedItem("entitlement", subscription.Id.ToString());    // it was refused, and never ran
        if (subscription.State == SubscriptionState.Cancelled)
            return new EntitlementItem(subscription.Id, subscription.Application, product, $"{plan} v{version.Number}", version.Id, EntitlementState.Cancelled,
                version.OnLedgerLoss, [], [], Organisation: subscription.Organisation);

        var state = subscription.State switch
        {
            SubscriptionState.Active => EntitlementState.Active,
            SubscriptionState.Paused => EntitlementState.Paused,
            _ => EntitlementState.Pending,
        };
        var anchor = subscription.Anchor.ToUnixTimeMilliseconds();
        return new EntitlementItem(subscription.Id, subscription.Application, product, $"{plan} v{version.Number}", version.Id, state,
            version.OnLedgerLoss, version.Limits, Quotas(version, anchor),
            version.Concurrency.Count == 0 ? null : version.Concurrency, subscription.Organisation);
    }

    private static IReadOnlyList<Quota> Quotas(PlanVersion version, long anchor)
    {
        List<Quota> quotas = [.. version.Quotas.Select(q => new Quota(q.Name, q.Units, q.Period, q.Hard, anchor, Shadow: q.Shadow))];
        if (version.SpendCap is { } cap && SpendCap.UnitsFor(cap, version.Prices) is { } units)
            quotas.Add(new Quota(Quota.SpendCap, units, QuotaPeriod.Month, Hard: true, anchor));
        return quotas;
    }
}
