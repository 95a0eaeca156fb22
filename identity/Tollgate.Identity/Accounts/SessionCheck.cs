using System.Security.Claims;
using Microsoft.Extensions.DependencyInjection;
using Tollgate.Identity.Sessions;

namespace Tollgate.Identity.Accounts;

/// <summary>Tells whether a session is still good, and how fresh it is, for circuits that outlive the request which brought the cookie: ask every minute.</summary>
public sealed class SessionCheck
{
    internal const string StampClaim = "stamp";

    private readonly IServiceScopeFactory _scopes;

    internal SessionCheck(IServiceScopeFactory scopes) => _scopes = scopes;

    /// <summary>False once the person signed out, the password was changed or reset, the account is gone, or what the person may do is no longer the same.</summary>
    public async Task<bool> IsCurrentAsync(ClaimsPrincipal user, CancellationToken cancel)
    {
        if (user.Identity?.IsAuthenticated != true) return false;
        await using var scope = _scopes.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<SessionBook>().StandingAsync(user, cancel) is { } standing && standing.Matches(user);
    }

    /// <summary>The address at which a person proves once more who they are.</summary>
    /// <param name="back">Where they go on to then: a path of this host.</param>
    public static string SignInAgain(string back) => AccountPages.WithReturn(SessionCookie.SignInPath + "?again=true&fresh=0&notice=again", back);

    /// <summary>Whether the person has proven within the last half hour who they are: asked before what a stranger at an open screen must not do.</summary>
    public async Task<bool> IsRecentAsync(ClaimsPrincipal user, CancellationToken cancel)
    {
        await using var scope = _scopes.CreateAsyncScope();
        return await RecentSignIn.IsAsync(scope.ServiceProvider, user, cancel);
    }
}
