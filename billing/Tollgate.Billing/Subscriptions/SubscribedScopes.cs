using Microsoft.EntityFrameworkCore;
using Tollgate.Billing.Storage;
using Tollgate.Contracts;
using Tollgate.Contracts.Scopes;

namespace Tollgate.Billing.Subscriptions;

/// <summary>The scopes of the products that an application is subscribed to, as the books are at this moment.</summary>
internal sealed class SubscribedScopes(IDbContextFactory<BillingDb> databases) : ISubscribedScopes
{
    public async Task<IReadOnlyList<string>> OfAsync(AppId application, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var scopes = await db.Subscriptions.Where(s => s.Application == application && s.State == SubscriptionState.Active)
            .Select(s => s.Product.Scopes).ToListAsync(cancel);
        return Each(scopes);
    }

    public async Task<IReadOnlyList<string>> OfferedAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return Each(await db.Products.Where(p => p.IsPublished).Select(p => p.Scopes).ToListAsync(cancel));
    }

    private static IReadOnlyList<string> Each(List<string[]> scopes) => [.. scopes.SelectMany(s => s).Distinct().Order(StringComparer.Ordinal)];
}
