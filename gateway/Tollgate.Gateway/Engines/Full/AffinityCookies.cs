using Microsoft.AspNetCore.Http;
using Tollgate.Gateway.Balancing;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>Tells a browser which host has its calls.</summary>
internal static class AffinityCookies
{
    public static void Write(HttpContext context, AffinityCookie cookie, Destination host) =>
        context.Response.Headers.Append("Set-Cookie",
            $"{cookie.Name}={host.Id}; Path=/; HttpOnly; SameSite=Lax{(cookie.MaxAgeSeconds > 0 ? $"; Max-Age={cookie.MaxAgeSeconds}" : "")}{(context.Request.IsHttps ? "; Secure" : "")}");
}
