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

/// <summary>One page of a longer list.</summary>
/// <param name="Total">Items on all pages.</param>
public sealed record PageOf<T>(IReadOnlyList<T> Items, int Total);

/// <summary>Which page of a list is wanted: number from 1, up to 200 items each.</summary>
public readonly record struct Page(int Number, int Size = 50)
{
    internal int Take => Math.Clamp(Size, 1, 200);
    internal int Skip => (int)Math.Min(int.MaxValue, (Math.Max(Number, 1) - 1L) * Take);
}
