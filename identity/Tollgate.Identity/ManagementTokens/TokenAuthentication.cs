using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tollgate.ServiceDefaults.Jose;

namespace Tollgate.Identity.ManagementTokens;

/// <summary>
/// Lets programs into the management API by <c>Authorization: Bearer</c>, with <c>tg_pat_…</c> or an access token that a person gave, or by <c>DPoP</c> with one that is bound to a key. A call that carries the header is judged by it alone: no
/// cookie helps a wrong token, and no other site can make a browser send one.
/// </summary>
internal sealed class TokenAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, TokenPrincipals principals, PersonTokens people)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string SchemeName = "Tollgate.Token";
    private const string Bearer = "Bearer ";
    private const string Dpop = "DPoP ";
    private string? _error;

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
        if (header is not [{ } value]) return AuthenticateResult.NoResult();
        var isDpop = value.StartsWith(Dpop, StringComparison.OrdinalIgnoreCase);
        if (!isDpop && !value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)) return AuthenticateResult.NoResult();
        var token = value[(isDpop ? Dpop : Bearer).Length..].Trim();
        var organisation = Request.Headers[OrganisationHeader] is [{ Length: > 0 } told, ..] ? told : null;
        ClaimsPrincipal? found;
        if (PersonTokens.IsMeant(token)) (found, _error) = await people.FindAsync(Context, token, isDpop, organisation, Context.RequestAborted);
        else found = isDpop ? null : await principals.FindAsync(token, Context.RequestAborted);
        return found is { } principal
            ? AuthenticateResult.Success(new AuthenticationTicket(principal, SchemeName))
            : AuthenticateResult.Fail("The token is unknown, expired or revoked.");
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        var isDpop = Request.Headers.Authorization.ToString().StartsWith(Dpop, StringComparison.OrdinalIgnoreCase);
        Response.Headers.WWWAuthenticate = isDpop
            ? $"DPoP realm=\"tollgate\", error=\"{_error ?? "invalid_token"}\", algs=\"{string.Join(' ', PublicJwk.SignatureAlgorithms)}\""
            : "Bearer realm=\"tollgate\", error=\"invalid_token\"";
        return Task.CompletedTask;
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status403Forbidden;
        return Task.CompletedTask;
    }
}
