using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Invoicing;
using Tollgate.Billing.Metering;
using Tollgate.Billing.Storage;
using Tollgate.Billing.Subscriptions;
using Tollgate.Contracts.Feeds;
using Tollgate.Contracts.Scopes;
using Tollgate.Storage;
using Tollgate.Storage.Feeds;

namespace Tollgate.Billing;

/// <summary>Billing's three verbs: its services, its background work, its endpoints.</summary>
public static class BillingModule
{
    /// <summary>The database, the options and the services that pages and endpoints ask.</summary>
    public static IHostApplicationBuilder AddTollgateBilling(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddTollgateDatabase<BillingDb, SqliteBillingDb, PostgresBillingDb>(builder.Configuration, BillingDb.Schema);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<CatalogueService>();
        services.AddSingleton<SubscriptionService>();
        services.AddSingleton<ISubscribedScopes, SubscribedScopes>();
        services.AddSingleton<UsageService>();
        services.AddSingleton<EntitlementTidying>();
        services.AddSingleton<InvoiceService>();
        services.AddSingleton<InvoicedCalls>();
        services.AddSingleton<UsageIngest>();
        services.AddSingleton<Rollup>();
        services.AddMetrics();
        services.AddSingleton<BillingMetrics>();
        services.AddSingleton<IValidateOptions<MeteringOptions>, MeteringOptionsValidator>();
        services.AddOptions<MeteringOptions>().Bind(builder.Configuration.GetSection(MeteringOptions.Section)).ValidateOnStart();
        return builder;
    }

    /// <summary>For a node that gives tokens and keeps no books itself: it looks into those that the others keep in the same database.</summary>
    public static IHostApplicationBuilder AddTollgateSubscribedScopes(this IHostApplicationBuilder builder)
    {
        builder.Services.AddTollgateDatabase<BillingDb, SqliteBillingDb, PostgresBillingDb>(builder.Configuration, BillingDb.Schema);
        builder.Services.AddSingleton<ISubscribedScopes, SubscribedScopes>();
        return builder;
    }

    /// <summary>What runs in the background on nodes with the billing role.</summary>
    public static IHostApplicationBuilder AddTollgateBillingWorkers(this IHostApplicationBuilder builder)
    {
        builder.Services.AddHostedService<RollupWorker>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<EntitlementTidying>());
        return builder;
    }

    /// <summary>The entitlement feed and the usage endpoints, on the internal port.</summary>
    public static IEndpointRouteBuilder MapTollgateBilling(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapFeed<BillingDb>(FeedNames.Entitlements);
        endpoints.MapUsage();
        return endpoints;
    }
}
