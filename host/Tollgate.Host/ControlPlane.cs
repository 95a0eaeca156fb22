using Microsoft.AspNetCore.HttpOverrides;
using Tollgate.Billing;
using Tollgate.Gateway;
using Tollgate.Gateway.Fragments;
using Tollgate.Host.Demo;
using Tollgate.Identity;
using Tollgate.Portal;
using Tollgate.Publishing;
using Tollgate.ServiceDefaults.Internal;
using Tollgate.ServiceDefaults.Telemetry;
using Tollgate.ServiceDefaults;

namespace Tollgate.Host;

/// <summary>The web application behind the portal's door and the internal one, with the modules that the roles name.</summary>
internal static class ControlPlane
{
    public static WebApplication Build(IConfiguration configuration, HostOptions options, IReadOnlyDictionary<string, string?> settings, GatewayServer? gateway, Readiness readiness)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            ContentRootPath = AppContext.BaseDirectory,
            ApplicationName = typeof(ControlPlane).Assembly.GetName().Name,
        });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddConfiguration(configuration).AddInMemoryCollection(settings);
        builder.Logging.UseTollgateConsole();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<Microsoft.Extensions.Hosting.HostOptions>(host => host.ShutdownTimeout = TollgateHost.EndsWithinWhenNotUp);    // once up, who stops it waits less
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddInternalPort(builder.Configuration);
        builder.Services.AddProblemDetails();
        builder.Services.Configure<RouteHandlerOptions>(calls => calls.ThrowOnBadRequest = false);    // in Development the framework throws: an unreadable parameter would be a 500
        builder.Services.AddSingleton<PrometheusText>();
        builder.WebHost.UseStaticWebAssets();    // also when run from a build in Production; does nothing once published
        builder.WebHost.UseUrls(Urls(options));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);

        if (options.Has(Roles.Identity | Roles.Portal)) builder.AddTollgateIdentity();
        if (options.Has(Roles.Billing | Roles.Portal)) builder.AddTollgateBilling();
        else if (options.Has(Roles.Identity) && builder.Configuration.GetConnectionString("Postgres") is { Length: > 0 }) builder.AddTollgateSubscribedScopes();
        if (options.Has(Roles.Billing)) builder.AddTollgateBillingWorkers();
        if (options.Has(Roles.Portal)) builder.AddTollgatePublishing(gateway is null ? FragmentReader.Read : gateway.ReadFragment, () => gateway?.FileClaims ?? []);
        if (options.Has(Roles.Portal)) builder.AddTollgatePortal();

        var app = builder.Build();
        app.UseExceptionHandler();
        var internalPorts = ListenAddress.Ports(options.InternalUrl).ToHashSet();
        UseTrustedProxies(app);
        app.UseRouting();
        app.UseInternalPort(internalPorts.Contains);
        if (options.Has(Roles.ControlPlane))
        {
            app.UseAuthentication();
            app.UseAuthorization();
            app.UseAntiforgery();
        }

        if (options.Has(Roles.Identity)) app.MapTollgateIdentity();
        if (options.Has(Roles.Identity) && !options.Has(Roles.Portal))
        {
            app.MapStaticAssets().AllowAnonymous();   // its pages' style; the portal maps them itself
            app.Map("/api/{**rest}", () => Problems.NotFound()).AllowAnonymous();   // the portal's too: files answer any GET, which would make 405 of the rest
        }

        if (options.Has(Roles.Billing)) app.MapTollgateBilling();
        if (options.Has(Roles.Portal)) app.MapTollgatePublishing();
        if (options.Has(Roles.Portal)) app.MapTollgatePortal();
        MapHealth(app, gateway, readiness);
        return app;
    }

    /// <summary>Brings the databases up to date, waiting for a server that is not there yet. Returns what only the first start learns.</summary>
    public static async Task<FirstAdmin?> SetUpAsync(WebApplication app, HostOptions options, CancellationToken cancel)
    {
        FirstAdmin? admin = null;
        await DatabaseWait.UntilThereAsync(app.Logger, async () =>
        {
            // Each database has its own lock and its own file or schema: a first start makes all at once.
            var books = options.Has(Roles.Billing | Roles.Portal)
                ? Task.Run(() => BillingSetup.MigrateAsync(app.Services, options.Demo, DemoUpstream.OpenApiDocument, cancel), cancel)
                : Task.CompletedTask;
            var accounts = options.Has(Roles.Identity | Roles.Portal) ? IdentitySetup.MigrateAsync(app.Services, cancel) : Task.FromResult<FirstAdmin?>(null);
            var routes = options.Has(Roles.Portal) ? Task.Run(() => app.Services.MigrateTollgatePublishingAsync(cancel), cancel) : Task.CompletedTask;
            try
            {
                await Task.WhenAll(books, routes, accounts);
            }
            finally
            {
                // Whatever became of the books: the password of a new administrator is told once, and this is the once.
                if (accounts.IsCompletedSuccessfully) admin ??= accounts.Result;
            }
        }, cancel);
        return admin;
    }

    private static string[] Urls(HostOptions options) =>
        options.Has(Roles.ControlPlane) ? [.. options.PortalUrls.Split(';'), options.InternalUrl] : [options.InternalUrl];

    /// <summary><c>X-Forwarded-*</c> count only from the proxies that the operator names in <c>TrustedProxies:0 = 10.0.0.0/8</c>.</summary>
    private static void UseTrustedProxies(WebApplication app)
    {
        var networks = app.Configuration.GetSection("TrustedProxies").Get<string[]>() ?? [];
        if (networks.Length == 0) return;
        var forwarded = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto };
        foreach (var network in networks)
        {
            if (!System.Net.IPNetwork.TryParse(network, out var parsed)) throw new SettingsException($"TrustedProxies {network}: write a network such as 10.0.0.0/8.");
            forwarded.KnownIPNetworks.Add(parsed);
        }

        app.UseForwardedHeaders(forwarded);
    }

    private static void MapHealth(WebApplication app, GatewayServer? gateway, Readiness readiness)
    {
        var health = app.MapInternal();
        app.Services.GetRequiredService<PrometheusText>().Map(health);
        if (gateway is not null)
        {
            gateway.MapInternal(health);
            return;
        }

        health.MapGet("/health/live", () => "live");
        health.MapGet("/health/ready", () => readiness.IsReady ? Results.Text("ready") : Results.Text("starting or stopping", statusCode: 503));
    }
}
