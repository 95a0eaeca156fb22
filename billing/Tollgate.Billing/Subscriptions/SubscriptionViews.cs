using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Invoicing;
using Tollgate.Contracts;

namespace Tollgate.Billing.Subscriptions;

/// <summary>A subscription as its organisation and admins see it.</summary>
/// <param name="Version">The plan version that it is on.</param>
/// <param name="LatestVersion">Number of the plan's newest version; higher than <paramref name="Version"/>'s when there are newer terms.</param>
/// <param name="Period">The running billing period.</param>
/// <param name="StoppedAt">When it was paused or cancelled.</param>
public sealed record SubscriptionView(
    SubscriptionId Id,
    OrganisationId Organisation,
    AppId Application,
    string ProductName,
    string ProductTitle,
    PlanId PlanId,
    string PlanName,
    string PlanTitle,
    PlanVersionView Version,
    int LatestVersion,
    SubscriptionState State,
    DateTimeOffset Anchor,
    BillingPeriod Period,
    DateTimeOffset CreatedAt,
    DateTimeOffset? StoppedAt);

/// <summary>Subscriptions of a product that are not cancelled.</summary>
/// <param name="Waiting">Those among them that wait for approval.</param>
public readonly record struct SubscriberCount(int All, int Waiting);
