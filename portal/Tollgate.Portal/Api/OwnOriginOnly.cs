using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Tollgate.Identity.Accounts;
using Tollgate.ServiceDefaults;

namespace Tollgate.Portal.Api;

/// <summary>Refuses changes that another site makes a visitor's browser ask for.</summary>
/// <remarks>
/// The session cookie is SameSite=Lax, so browsers leave it out of other sites' POST, PUT and DELETE. That alone trusts every sister subdomain, which
/// counts as the same site, so two more things are asked. (1) Browsers mark what a page sends: <c>Sec-Fetch-Site</c> in all current ones,
/// <c>Origin</c> on every state-changing call in older ones too. A page cannot forge or remove either. A marked call must come from our own
/// origin; one without marks comes from a program, which sends no cookie it was not given on purpose. (2) <c>Content-Type: application/json</c>
/// cannot be sent across origins by a form, nor by a script without a preflight, which we never answer. A call that is judged by its token (the
/// Authorization header, which no browser adds by itself) needs the second alone.
/// </remarks>
internal sealed class OwnOriginOnly : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        var request = call.HttpContext.Request;
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) return await next(call);
        if (!call.HttpContext.User.IsToken() && !IsOurs(request))
            return Problems.Forbidden("cross-origin", "Changes are accepted from this portal's own pages and from programs, not from other sites.");
        if (!HttpMethods.IsDelete(request.Method) && !request.HasJsonContentType())
            return Problems.Of(StatusCodes.Status415UnsupportedMediaType, "content-type", "Not this kind of content", "Send Content-Type: application/json.");
        return await next(call);
    }

    private static bool IsOurs(HttpRequest request)
    {
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        if (site.Length > 0 && site is not ("same-origin" or "none")) return false;
        var origin = request.Headers.Origin.ToString();
        return origin.Length == 0 || string.Equals(origin, UriHelper.BuildAbsolute(request.Scheme, request.Host).TrimEnd('/'), StringComparison.OrdinalIgnoreCase);
    }
}
