using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Radzen;
using Tollgate.Portal.Admin;
using Tollgate.Portal.Api;
using Tollgate.Portal.Developer;
using Tollgate.Portal.Shell;

namespace Tollgate.Portal;

/// <summary>The portal's two verbs: its services, and its pages with the management API. It owns no tables and runs nothing in the background.</summary>
public static class PortalModule
{
    /// <summary>Pages, circuits and the management API. Identity and billing are added beside it.</summary>
    public static WebApplicationBuilder AddTollgatePortal(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        builder.WebHost.UseStaticWebAssets();    // also when run from a build in Production; does nothing once published
        services.AddOptions<GatewayAddress>().Bind(builder.Configuration.GetSection(GatewayAddress.Section)).ValidateDataAnnotations().ValidateOnStart();

        services.AddRazorComponents()
            .AddInteractiveServerComponents(circuits =>
            {
                circuits.DetailedErrors = false;
                circuits.DisconnectedCircuitMaxRetained = 200;
                circuits.DisconnectedCircuitRetentionPeriod = TimeSpan.FromMinutes(2);
                circuits.JSInteropDefaultCallTimeout = TimeSpan.FromSeconds(20);
                circuits.MaxBufferedUnacknowledgedRenderBatches = 10;
            })
            .AddHubOptions(hub =>
            {
                hub.MaximumReceiveMessageSize = 3 * 1024 * 1024;    // an OpenAPI document pasted into its field, 2 MiB of it
                hub.MaximumParallelInvocationsPerClient = 1;
            })
            .RegisterPersistentService<VisitorClock>(RenderMode.InteractiveServer);
        services.AddRadzenComponents();
        services.AddCascadingAuthenticationState();
        services.AddScoped<AuthenticationStateProvider, LivingSession>();
        services.AddSingleton<IStartupFilter, PortalPipeline>();

        services.TryAddSingleton(TimeProvider.System);
        services.AddScoped<VisitorClock>();
        services.AddScoped<ApplicationRemoval>();
        services.AddScoped<SubscriptionDesk>();
        services.AddScoped<FirstCallPaths>();
        services.AddScoped<CatalogueDesk>();
        services.AddScoped<RouteDesk>();
        services.AddManagementApi();
        return builder;
    }

    /// <summary>
    /// Maps pages, static files and the management API. Authentication, authorization and antiforgery come before:
    /// <c>app.UseRouting(); app.UseAuthentication(); app.UseAuthorization(); app.UseAntiforgery(); app.MapTollgatePortal();</c>
    /// </summary>
    public static WebApplication MapTollgatePortal(this WebApplication app)
    {
        app.UseWhen(PortalPipeline.IsPage, pages => pages.UseExceptionHandler("/error", createScopeForErrors: true));
        app.MapStaticAssets().AllowAnonymous();
        app.MapBlazorScript();
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode(server => server.ContentSecurityFrameAncestorsPolicy = null);
        app.MapManagementApi();
        app.MapOpenApiDocuments();
        return app;
    }
}
