using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts.Feeds;
using Tollgate.Publishing.Storage;
using Tollgate.Storage.Feeds;

namespace Tollgate.Publishing.Orders;

/// <summary>
/// Orders to every gateway, wherever it stands: they travel in the feed of the routes, so nobody needs a way to the gateways or a list of them, and one
/// that is away for a while hears them when it is back.
/// </summary>
public sealed class GatewayOrders(IDbContextFactory<PublishingDb> databases, TimeProvider time)
{
    /// <summary>Longest name of a region, tag or host.</summary>
    public const int LongestName = 150;

    /// <summary>Has kept answers thrown away.</summary>
    /// <param name="name">Of the region or tag; empty for everything.</param>
    public async Task PurgeAsync(PurgeScope scope, string name, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await db.SaveWithChangesAsync([new PurgeItem(scope, name, time.GetUtcNow().ToUnixTimeMilliseconds())], cancel);
    }

    /// <summary>No new calls to a host any more.</summary>
    public async Task DrainAsync(string host, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await db.SaveWithChangesAsync([new DrainItem(host.ToLowerInvariant())], cancel);
    }

    /// <summary>A host may have calls again. False = it was not drained.</summary>
    public async Task<bool> ResumeAsync(string host, CancellationToken cancel)
    {
        host = host.ToLowerInvariant();
        if (!(await DrainedAsync(cancel)).Contains(host)) return false;
        await using var db = await databases.CreateDbContextAsync(cancel);
        await db.SaveWithChangesAsync([new RemovedItem("drain", host)], cancel);
        return true;
    }

    /// <summary>The hosts that drain by order.</summary>
    public async Task<IReadOnlyList<string>> DrainedAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await db.Set<Change>().AsNoTracking().Where(change => change.Kind == "drain" && !change.Removed).OrderBy(change => change.Key).Select(change => change.Key).ToListAsync(cancel);
    }
}
