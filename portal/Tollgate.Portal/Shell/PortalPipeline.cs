using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Tollgate.Portal.Api;

namespace Tollgate.Portal.Shell;

/// <summary>
/// Stands in front of everything else, so that also what is refused before it reaches a page (by authorization, say) carries our headers,
/// and an empty answer becomes a page for people and a problem document for programs.
/// </summary>
internal sealed class PortalPipeline : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(NameRequestAsync);
        app.UseSecurityHeaders();
        app.UseWhen(IsPage, pages => pages.UseStatusCodePagesWithReExecute("/not-found", createScopeForStatusCodePages: true));
        app.UseManagementApiProblems();
        next(app);
    };

    /// <summary>Problems tell the request's id, which is its trace's. The framework starts a trace only while somebody listens.</summary>
    private static async Task NameRequestAsync(HttpContext http, RequestDelegate next)
    {
        using var own = Activity.Current is null ? new Activity("request").Start() : null;
        await next(http);
    }

    public static bool IsPage(HttpContext http) =>
        HttpMethods.IsGet(http.Request.Method) && http.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase)
        && !http.Request.Path.StartsWithSegments(ManagementApi.Root);
}
