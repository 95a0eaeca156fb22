using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Tollgate.Identity.Sessions;

namespace Tollgate.Identity.Accounts;

/// <summary>The session's cookie: on https bound to this host and path by its name (<c>__Host-</c>), never readable by script.</summary>
internal static class SessionCookie
{
    public const string SignInPath = "/account/sign-in";
    public const string SignUpPath = "/account/sign-up";
    public const string DeniedPath = "/account/denied";
    public const string ReturnUrlParameter = "returnUrl";

    public static void AddSessionCookie(this IServiceCollection services)
    {
        services.AddAuthentication(IdentityConstants.ApplicationScheme).AddIdentityCookies();
        services.AddOptions<CookieAuthenticationOptions>(IdentityConstants.ApplicationScheme)
            .Configure<IOptions<TollgateIdentityOptions>>((cookie, identity) =>
            {
                Harden(cookie.Cookie, identity.Value, "tollgate");
                cookie.Cookie.SameSite = SameSiteMode.Lax;
                cookie.ExpireTimeSpan = TimeSpan.FromDays(14);
                cookie.SlidingExpiration = true;
                cookie.LoginPath = SignInPath;
                cookie.AccessDeniedPath = DeniedPath;
                cookie.ReturnUrlParameter = ReturnUrlParameter;
                cookie.Events.OnSigningIn = BeginAsync;
                cookie.Events.OnSigningOut = EndAsync;
                cookie.Events.OnValidatePrincipal = ValidateAsync;
                cookie.Events.OnRedirectToLogin = http => Redirect(http, StatusCodes.Status401Unauthorized);
                cookie.Events.OnRedirectToAccessDenied = http => Redirect(http, StatusCodes.Status403Forbidden);
            });
        services.AddOptions<AntiforgeryOptions>().Configure<IOptions<TollgateIdentityOptions>>((forgery, identity) =>
        {
            if (identity.Value.IsHttps) forgery.Cookie = new SecureCookie();
            Harden(forgery.Cookie, identity.Value, "tollgate-form");
            forgery.Cookie.SameSite = SameSiteMode.Strict;
            if (identity.Value.IsHttps) forgery.Cookie.SecurePolicy = CookieSecurePolicy.None;   // SecureCookie sees to it
        });
    }

    private static void Harden(CookieBuilder cookie, TollgateIdentityOptions identity, string name)
    {
        cookie.Name = identity.IsHttps ? "__Host-" + name : name;
        cookie.SecurePolicy = identity.IsHttps ? CookieSecurePolicy.Always : CookieSecurePolicy.SameAsRequest;
        cookie.Path = "/";
        cookie.HttpOnly = true;
        cookie.IsEssential = true;
    }

    /// <summary>A sign-in is a session of its own, whatever the visitor brought along.</summary>
    private static async Task BeginAsync(CookieSigningInContext context)
    {
        var book = context.HttpContext.RequestServices.GetRequiredService<SessionBook>();
        var cancel = context.HttpContext.RequestAborted;
        await book.EndAsync(context.HttpContext.User, cancel);
        var identity = context.Principal!.Identities.First();
        var methods = identity.FindAll(SessionBook.MethodClaim).ToList();
        foreach (var method in methods) identity.RemoveClaim(method);   // the session knows
        var proven = identity.FindFirst(SessionBook.ProvenAtClaim);
        identity.TryRemoveClaim(proven);
        var session = await book.OpenAsync(context.Principal.UserId(), methods.Count > 0 ? [.. methods.Select(m => m.Value)] : SessionBook.ByPassword, cancel, SessionBook.ReadMoment(proven?.Value));
        identity.AddClaim(new Claim(SessionBook.Claim, session.Id.ToString()));
    }

    private static Task EndAsync(CookieSigningOutContext context) =>
        context.HttpContext.RequestServices.GetRequiredService<SessionBook>().EndAsync(context.HttpContext.User, context.HttpContext.RequestAborted);

    /// <summary>A cookie is as good as the session that it names, at this moment; what its holder may do is asked each time, too.</summary>
    private static async Task ValidateAsync(CookieValidatePrincipalContext context)
    {
        var book = context.HttpContext.RequestServices.GetRequiredService<SessionBook>();
        if (context.Principal is { } user && await book.StandingAsync(user, context.HttpContext.RequestAborted) is { } standing)
            standing.WriteInto(user.Identities.First());
        else context.RejectPrincipal();
    }

    /// <summary>People are led to a page, programs get the status.</summary>
    private static Task Redirect(RedirectContext<CookieAuthenticationOptions> context, int status)
    {
        if (context.Request.Path.StartsWithSegments("/api")) context.Response.StatusCode = status;
        else context.Response.Redirect(new Uri(context.RedirectUri).PathAndQuery);   // the Host header decides nothing
        return Task.CompletedTask;
    }

    /// <summary>
    /// Secure whatever the request says: behind a proxy that ends TLS it says http, and anti-forgery throws on that when its policy is
    /// <see cref="CookieSecurePolicy.Always"/>.
    /// </summary>
    private sealed class SecureCookie : CookieBuilder
    {
        public override CookieOptions Build(HttpContext context, DateTimeOffset expiresFrom)
        {
            var cookie = base.Build(context, expiresFrom);
            cookie.Secure = true;
            return cookie;
        }
    }
}
