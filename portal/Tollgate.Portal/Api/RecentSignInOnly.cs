using Microsoft.AspNetCore.Http;
using Tollgate.Identity.Accounts;
using Tollgate.ServiceDefaults;

namespace Tollgate.Portal.Api;

/// <summary>
/// What could harm asks a person for a sign-in within the last half hour here too, as its page does: else a script in the page's place would be a way
/// around. A program's token was given for what it does.
/// </summary>
internal sealed class RecentSignInOnly(SessionCheck sessions) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        var http = call.HttpContext;
        return http.User.IsToken() || await sessions.IsRecentAsync(http.User, http.RequestAborted)
            ? await next(call)
            : Problems.Forbidden("sign-in-again", "This asks for a sign-in within the last half hour. Sign in again under /account/sign-in?again=true&fresh=0, and send it once more.");
    }
}
