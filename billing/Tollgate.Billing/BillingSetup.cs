using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Storage;
using Tollgate.Storage;

namespace Tollgate.Billing;

/// <summary>Brings billing's database to this program's version at start.</summary>
public static class BillingSetup
{
    /// <summary>Migrates under the lock, and on the first start ever plants the demo catalogue, unless it is not wanted.</summary>
    /// <param name="seedDemo">Whether the product <c>weather</c> with its three plans is planted.</param>
    /// <param name="demoOpenApi">The OpenAPI document of the demo upstream.</param>
    public static async Task MigrateAsync(IServiceProvider services, bool seedDemo, string demoOpenApi, CancellationToken cancel)
    {
        await using var db = await services.GetRequiredService<IDbContextFactory<BillingDb>>().CreateDbContextAsync(cancel);
        var time = services.GetRequiredService<TimeProvider>();
        await DatabaseSetup.MigrateAsync(db, async stop =>
        {
            if (seedDemo) await DemoCatalogue.PlantOnceAsync(db, demoOpenApi, time.GetUtcNow(), stop);
            await ProductDocuments.TellAsync(db, stop);
        }, cancel);
    }
}
