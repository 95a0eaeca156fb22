using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.OAuth.Tokens;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Logout;

/// <summary>
/// A client asks that its person be signed out (RP-Initiated Logout): <c>/connect/endsession</c>. The person is always asked: whoever can make
/// a browser load an address must not be able to end its session with it.
/// </summary>
internal sealed class EndSessionEndpoint(IdentityDb db, TokenSigner signer, SignInService sessions, IOptions<TollgateIdentityOptions> options)
{
    public static async Task<IResult> HandleAsync(HttpContext http, EndSessionEndpoint endpoint, CancellationToken cancel)
    {
        AccountPages.Protect(http);
        var isPost = HttpMethods.IsPost(http.Request.Method);
        var parameters = isPost ? await Parameters.ReadFormAsync(http, cancel) : Parameters.OfQuery(http.Request);
        if (parameters is not { Wrong: null }) return NotOurs();
        // A form of another site comes without our cookie (SameSite): asked once more by GET, the browser sends it.
        return isPost
            ? AccountPages.SeeOther(http, $"{endpoint.Path}?{parameters.Encode()}")
            : await endpoint.AskAsync(http, parameters, cancel);
    }

    /// <summary>The page's form: the request comes back with it, and is judged anew.</summary>
    public static Task<IResult> ConfirmAsync(HttpContext http, EndSessionEndpoint endpoint, CancellationToken cancel) => endpoint.ConfirmAsync(http, cancel);

    private string Path => options.Value.IssuerPath + OAuthPaths.EndSession;

    private async Task<IResult> AskAsync(HttpContext http, Parameters parameters, CancellationToken cancel)
    {
        var (client, target, isWrong) = await JudgeAsync(parameters, cancel);
        if (isWrong) return NotOurs();
        if (http.User.Identity?.IsAuthenticated != true) return Leave(http, target);
        if (target is not null) AccountPages.LeadsTo(http, target);
        return AccountPages.Show<EndSessionPage>(http, more:
        [
            (nameof(EndSessionPage.Client), client?.Name ?? ""), (nameof(EndSessionPage.Request), parameters.Encode()),
            (nameof(EndSessionPage.Email), http.User.FindFirst(TollgateClaims.Email)?.Value ?? ""),
        ]);
    }

    private async Task<IResult> ConfirmAsync(HttpContext http, CancellationToken cancel)
    {
        var (_, target, isWrong) = await JudgeAsync(Parameters.Parse(http.Field(EndSessionPage.RequestField)), cancel);
        if (isWrong) return NotOurs();
        if (http.Field("decision") != "stay") await sessions.SignOutAsync(http.User, cancel);
        return Leave(http, target);
    }

    /// <summary>Which client asks, and where it may have the person led: to one of its registered addresses, exactly, and else nowhere.</summary>
    private async Task<(OAuthClient? Client, string? Target, bool IsWrong)> JudgeAsync(Parameters parameters, CancellationToken cancel)
    {
        if (parameters.Wrong is not null) return (null, null, true);
        JsonElement? hint = parameters["id_token_hint"] is { } token ? await signer.ReadAsync(token, TokenSigner.IdToken, orExpired: true, cancel) : null;
        if (parameters["id_token_hint"] is not null && hint is null) return (null, null, false);   // not ours: it says nothing, and nothing comes of it
        var named = hint is { } claims ? TokenSigner.Text(claims, "aud") : parameters["client_id"];
        if (parameters["client_id"] is { } told && told != named) return (null, null, true);
        if (named is null || await ClientAuthentication.FindAsync(db, named, cancel) is not { Client: var client }) return (null, null, false);

        if (parameters["post_logout_redirect_uri"] is not { } uri || !client.PostLogoutRedirectUris.Contains(uri)) return (client, null, false);
        return (client, parameters["state"] is { } state ? $"{uri}{(uri.Contains('?') ? "&" : "?")}state={Uri.EscapeDataString(state)}" : uri, false);
    }

    private static IResult Leave(HttpContext http, string? target) => AccountPages.SeeOther(http, target ?? SessionCookie.SignInPath + "?notice=signed-out");

    private static IResult NotOurs() => AccountPages.Message(StatusCodes.Status400BadRequest, "This cannot go on",
        "The application that sent you here asked to sign you out in a way that cannot be trusted. You are still signed in.", "Sign out here", "/account/sign-out");
}
