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
        app.UseSecurityHeaders();
        app.UseWhen(IsPage, pages => pages.UseStatusCodePagesWithReExecute("/not-found", createScopeForStatusCodePages: true));
        app.UseManagementApiProblems();
        next(app);
    };

    public static bool IsPage(HttpContext http) =>
        HttpMethods.IsGet(http.Request.Method) && http.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase)
        && !http.Request.Path.StartsWithSegments(ManagementApi.Root);
}
