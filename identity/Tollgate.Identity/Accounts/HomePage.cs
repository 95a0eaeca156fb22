using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Tollgate.Identity.Accounts;

/// <summary>Where somebody goes who came in without a way to go on: the portal's checklist, or their own account where this process has no portal.</summary>
internal static class HomePage
{
    public const string Account = "/account";
    private const string Portal = "/start";

    public static string Of(HttpContext http) =>
        http.RequestServices.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().Any(e => e.RoutePattern.RawText?.TrimStart('/') == Portal[1..]) ? Portal : Account;
}
