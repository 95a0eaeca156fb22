using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Identity.Sessions;

namespace Tollgate.Identity.Accounts;

/// <summary>Lets through who has proven within the last half hour who they are; everybody else proves it again first. For what a stranger at an open screen must not do.</summary>
internal static class RecentSignIn
{
    private static readonly TimeSpan Recent = TimeSpan.FromMinutes(30);

    public static async ValueTask<object?> Filter(EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        var http = call.HttpContext;
        return await IsAsync(http) ? await next(call) : Ask(http);
    }

    public static Task<bool> IsAsync(HttpContext http) => IsAsync(http.RequestServices, http.User, http.RequestAborted);

    public static async Task<bool> IsAsync(IServiceProvider services, ClaimsPrincipal user, CancellationToken cancel)
    {
        var session = await services.GetRequiredService<SessionBook>().FindAsync(user, cancel);
        var now = services.GetRequiredService<TimeProvider>().GetUtcNow();
        return session is not null && now - session.Opened < Recent;
    }

    /// <summary>To the sign-in page and back.</summary>
    public static IResult Ask(HttpContext http)
    {
        var back = HttpMethods.IsGet(http.Request.Method) ? http.Request.Path.Value! : "/account";
        return AccountPages.SeeOther(http, SessionCheck.SignInAgain(back));
    }
}
