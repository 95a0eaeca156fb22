using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Tollgate.Contracts.Feeds;
using Tollgate.Contracts.Fragments;
using Tollgate.Publishing.Fragments;
using Tollgate.Publishing.Orders;
using Tollgate.Publishing.Storage;
using Tollgate.Storage;
using Tollgate.Storage.Feeds;

namespace Tollgate.Publishing;

/// <summary>The module's verbs: its services, its database at start, its feed. Pages and API stand in the portal.</summary>
public static class PublishingModule
{
    /// <param name="read">How the gateways read a fragment.</param>
    /// <param name="reserved">What files of a gateway in this process claim for themselves; null = nothing.</param>
    public static IHostApplicationBuilder AddTollgatePublishing(this IHostApplicationBuilder builder, ReadFragment read, ReservedClaims? reserved = null)
    {
        var services = builder.Services;
        services.AddTollgateDatabase<PublishingDb, SqlitePublishingDb, PostgresPublishingDb>(builder.Configuration, PublishingDb.Schema);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(read);
        services.AddSingleton(reserved ?? (() => []));
        services.AddSingleton<FragmentService>();
        services.AddSingleton<FragmentStandings>();
        services.AddSingleton<GatewayOrders>();
        return builder;
    }

    /// <summary>Brings the database to this program's version.</summary>
    public static async Task MigrateTollgatePublishingAsync(this IServiceProvider services, CancellationToken cancel)
    {
        await using var db = await services.GetRequiredService<IDbContextFactory<PublishingDb>>().CreateDbContextAsync(cancel);
        await DatabaseSetup.MigrateAsync(db, _ => Task.CompletedTask, cancel);
    }

    /// <summary>The feed of published routes, and where gateways tell how these stand with them, on the internal port.</summary>
    public static IEndpointRouteBuilder MapTollgatePublishing(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapFeed<PublishingDb>(FeedNames.Routes);
        endpoints.MapFragmentReports();
        return endpoints;
    }
}
