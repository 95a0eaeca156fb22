using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Tollgate.Portal.Shell;

/// <summary>
/// What every answer of the portal tells the browser. Scripts come from us alone and never inline. Styles may be inline, because Radzen's charts
/// and Blazor's components place things with <c>style</c> attributes. Nobody may frame us, and no address of ours leaks to other sites.
/// </summary>
internal static class SecurityHeaders
{
    private const string PagePolicy =
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
        "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    public static IApplicationBuilder UseSecurityHeaders(this IApplicationBuilder app) => app.Use((http, next) =>
    {
        http.Response.OnStarting(Write, http);
        return next(http);
    });

    private static Task Write(object state)
    {
        var http = (HttpContext)state;
        var headers = http.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.TryAdd("Referrer-Policy", "strict-origin-when-cross-origin");
        if (http.Response.ContentType?.StartsWith("text/html", StringComparison.OrdinalIgnoreCase) != true) return Task.CompletedTask;

        headers.TryAdd("Content-Security-Policy", PagePolicy);
        headers.XFrameOptions = "DENY";
        headers.TryAdd("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()");
        headers.TryAdd("Cross-Origin-Opener-Policy", "same-origin");
        if (http.User.Identity?.IsAuthenticated == true) headers.CacheControl = "no-store";
        return Task.CompletedTask;
    }
}
