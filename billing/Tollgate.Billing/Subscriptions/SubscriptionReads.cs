using Microsoft.EntityFrameworkCore;
using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Invoicing;
using Tollgate.Billing.Metering;
using Tollgate.Contracts;

namespace Tollgate.Billing.Subscriptions;

/// <summary>From tables to what pages show.</summary>
internal static class SubscriptionReads
{
    /// <summary>An organisation's own, also those that are over, as far as a filter wants them.</summary>
    public static IQueryable<Subscription> Of(this IQueryable<Subscription> subscriptions, OrganisationId organisation, UsageFilter filter)
    {
        var own = subscriptions.Where(s => s.Organisation == organisation);
        if (filter.Application is { } application) own = own.Where(s => s.Application == application);
        return filter.Product is { } product ? own.Where(s => s.Product.Name == product) : own;
    }

    public static async Task<List<SubscriptionView>> ViewsAsync(this IQueryable<Subscription> subscriptions, DateTimeOffset now, CancellationToken cancel)
    {
        var rows = await subscriptions.AsNoTracking().Select(s => new
        {
            Subscription = s,
            ProductName = s.Product.Name,
            ProductTitle = s.Product.Title,
            s.PlanVersion.PlanId,
            PlanName = s.PlanVersion.Plan.Name,
            PlanTitle = s.PlanVersion.Plan.Title,
            Version = s.PlanVersion,
            Latest = s.PlanVersion.Plan.Versions.Max(v => v.Number),
        }).ToListAsync(cancel);
        return [.. rows.Select(r => new SubscriptionView(r.Subscription.Id, r.Subscription.Organisation, r.Subscription.Application,
            r.ProductName, r.ProductTitle, r.PlanId, r.PlanName, r.PlanTitle, r.Version.View(), r.Latest, r.Subscription.State,
            r.Subscription.Anchor, BillingPeriod.At(r.Subscription.Anchor, now), r.Subscription.CreatedAt, r.Subscription.StoppedAt))];
    }
}
