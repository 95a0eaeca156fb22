using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Tollgate.Identity.Accounts;

/// <summary>The session's cookie: on https bound to this host and path by its name (<c>__Host-</c>), never readable by script.</summary>
internal static class SessionCookie
{
    public const string SignInPath = "/account/sign-in";
    public const string DeniedPath = "/account/denied";
    public const string ReturnUrlParameter = "returnUrl";

    public static void AddSessionCookie(this IServiceCollection services)
    {
        services.AddAuthentication(IdentityConstants.ApplicationScheme).AddIdentityCookies();
        services.Configure<SecurityStampValidatorOptions>(o => o.ValidationInterval = TimeSpan.FromMinutes(1));
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
                cookie.Events.OnRedirectToLogin = http => Redirect(http, StatusCodes.Status401Unauthorized);
                cookie.Events.OnRedirectToAccessDenied = http => Redirect(http, StatusCodes.Status403Forbidden);
            });
        services.AddOptions<AntiforgeryOptions>()
            .Configure<IOptions<TollgateIdentityOptions>>((forgery, identity) => Harden(forgery.Cookie, identity.Value, "tollgate-form"));
    }

    private static void Harden(CookieBuilder cookie, TollgateIdentityOptions identity, string name)
    {
        cookie.Name = identity.IsHttps ? "__Host-" + name : name;
        cookie.SecurePolicy = identity.IsHttps ? CookieSecurePolicy.Always : CookieSecurePolicy.SameAsRequest;
        cookie.Path = "/";
        cookie.HttpOnly = true;
        cookie.IsEssential = true;
    }

    /// <summary>People are led to a page, programs get the status.</summary>
    private static Task Redirect(RedirectContext<CookieAuthenticationOptions> context, int status)
    {
        if (context.Request.Path.StartsWithSegments("/api")) context.Response.StatusCode = status;
        else context.Response.Redirect(context.RedirectUri);
        return Task.CompletedTask;
    }
}
