using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Tollgate.Identity.ManagementTokens;

/// <summary>
/// Lets programs into the management API by <c>Authorization: Bearer</c>, with <c>tg_pat_…</c> or an access token that a person gave. A call that carries the header is judged by it alone: no
/// cookie helps a wrong token, and no other site can make a browser send one.
/// </summary>
internal sealed class TokenAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, TokenPrincipals principals, PersonTokens people)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string SchemeName = "Tollgate.Token";
    private const string Bearer = "Bearer ";

    /// <summary>The organisation in which a call of a person's access token acts, where it is not the one of the token.</summary>
    public const string OrganisationHeader = "Tollgate-Organisation";

    public static void Add(IServiceCollection services)
    {
        services.AddScoped<TokenPrincipals>();
        services.AddScoped<PersonTokens>();
        services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, TokenAuthentication>(SchemeName, null);
        services.PostConfigure<CookieAuthenticationOptions>(IdentityConstants.ApplicationScheme, cookie => cookie.ForwardDefaultSelector = http => IsMeant(http) ? SchemeName : null);
    }

    /// <summary>Whether a call is judged by its token.</summary>
    private static bool IsMeant(HttpContext http) => http.Request.Path.StartsWithSegments("/api") && http.Request.Headers.Authorization.Count > 0;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization;
        if (header is not [{ } value] || !value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)) return AuthenticateResult.NoResult();
        var token = value[Bearer.Length..].Trim();
        var organisation = Request.Headers[OrganisationHeader] is [{ Length: > 0 } told, ..] ? told : null;
        var found = PersonTokens.IsMeant(token)
            ? await people.FindAsync(token, organisation, Context.RequestAborted)
            : await principals.FindAsync(token, Context.RequestAborted);
        return found is { } principal
            ? AuthenticateResult.Success(new AuthenticationTicket(principal, SchemeName))
            : AuthenticateResult.Fail("The token is unknown, expired or revoked.");
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.WWWAuthenticate = "Bearer realm=\"tollgate\", error=\"invalid_token\"";
        return Task.CompletedTask;
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status403Forbidden;
        return Task.CompletedTask;
    }
}
