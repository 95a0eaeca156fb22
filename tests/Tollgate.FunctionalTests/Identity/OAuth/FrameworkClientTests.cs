using System.Net;
using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>ASP.NET Core's own handlers against the running service: a website that signs people in with <c>AddOAuth</c>, and an API with <c>AddJwtBearer</c>.</summary>
public sealed class FrameworkClientTests
{
    [Theory]
    [OnBothDatabases]
    public async Task A_website_and_an_API_of_the_framework_get_along_with_it(Shape shape)
    {
        var (issuer, shop) = ($"http://127.0.0.1:{FreePort.Next()}", $"http://localhost:{FreePort.Next()}");
        var file = $$"""
            { "users": [{ "email": "{{OAuthSite.Person}}", "password": "{{Visitor.Password}}", "confirmed": true }],
              "scopes": [{ "name": "orders.read", "audience": "https://orders.example" }, { "name": "other", "audience": "https://other.example" }],
              "clients": [{ "clientId": "shop", "secret": "{{OAuthSite.Secret}}", "grants": ["authorization_code", "refresh_token", "client_credentials"], "scopes": ["openid", "email", "offline_access", "orders.read", "other"],
                            "redirectUris": ["{{shop}}/signin-tollgate"] }] }
            """;
        await using var site = await OAuthSite.StartAsync(shape, file: file, settings: [("Urls", issuer), ("Identity:Issuer", issuer)]);
        await using var app = Shop(shop, issuer);
        await app.StartAsync();

        // Through the browser: the website sends the person over, they sign in, and come back as themselves.
        using var handler = new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() };
        using var browser = new HttpClient(handler);
        var ask = (await browser.GetAsync(shop + "/mine")).Headers.Location!;
        ask.OriginalString.ShouldStartWith(issuer + "/connect/authorize?");
        ask.Query.ShouldContain("code_challenge_method=S256");
        using var person = new Visitor(site.Host.Url);
        var signIn = (await person.GetAsync(ask.PathAndQuery)).Headers.Location!.OriginalString;
        var back = (await person.SubmitAsync(signIn, ("email", OAuthSite.Person), ("password", Visitor.Password))).Headers.Location!.OriginalString;
        var answer = (await person.GetAsync(back)).Headers.Location!;
        var signedIn = await browser.GetAsync(answer);
        signedIn.StatusCode.ShouldBe(HttpStatusCode.Found, await signedIn.Content.ReadAsStringAsync());
        (await browser.GetStringAsync(shop + "/mine")).ShouldBe("hello " + OAuthSite.Person);
        (await browser.GetAsync(answer)).StatusCode.ShouldNotBe(HttpStatusCode.Found);   // once: the state is spent

        // The API takes access tokens for itself alone, and no other kind.
        var token = (await site.TokenAsync("grant_type=client_credentials&scope=orders.read", OAuthSite.Basic("shop", OAuthSite.Secret))).Text("access_token");
        var stranger = (await site.TokenAsync("grant_type=client_credentials&scope=other", OAuthSite.Basic("shop", OAuthSite.Secret))).Text("access_token");
        (await CallAsync(browser, shop, token)).ShouldBe((HttpStatusCode.OK, "shop"));
        foreach (var wrong in new[] { stranger, Forged.EndOf(token), "nonsense" }) (await CallAsync(browser, shop, wrong)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        await app.StopAsync();
    }

    private static async Task<(HttpStatusCode Status, string Body)> CallAsync(HttpClient http, string shop, string token)
    {
        using var call = new HttpRequestMessage(HttpMethod.Get, shop + "/api");
        call.Headers.Authorization = new("Bearer", token);
        using var answer = await http.SendAsync(call);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static WebApplication Shop(string url, string issuer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(url);
        builder.Services.AddAuthorization();
        builder.Services.AddAuthentication(options => (options.DefaultScheme, options.DefaultChallengeScheme) = (CookieAuthenticationDefaults.AuthenticationScheme, "tollgate"))
            .AddCookie(cookie => cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest)
            .AddOAuth("tollgate", oauth =>
            {
                (oauth.ClientId, oauth.ClientSecret, oauth.UsePkce) = ("shop", OAuthSite.Secret, true);
                (oauth.AuthorizationEndpoint, oauth.TokenEndpoint, oauth.UserInformationEndpoint) = (issuer + "/connect/authorize", issuer + "/connect/token", issuer + "/connect/userinfo");
                oauth.CallbackPath = "/signin-tollgate";
                (oauth.CorrelationCookie.SecurePolicy, oauth.CorrelationCookie.SameSite) = (CookieSecurePolicy.SameAsRequest, SameSiteMode.Lax);
                foreach (var scope in new[] { "openid", "email", "orders.read" }) oauth.Scope.Add(scope);
                oauth.ClaimActions.MapJsonKey(ClaimTypes.NameIdentifier, "sub");
                oauth.ClaimActions.MapJsonKey(ClaimTypes.Name, "email");
                oauth.Events.OnCreatingTicket = async context =>
                {
                    using var ask = new HttpRequestMessage(HttpMethod.Get, context.Options.UserInformationEndpoint);
                    ask.Headers.Authorization = new("Bearer", context.AccessToken);
                    using var told = await context.Backchannel.SendAsync(ask, context.HttpContext.RequestAborted);
                    context.RunClaimActions(JsonDocument.Parse(await told.EnsureSuccessStatusCode().Content.ReadAsStringAsync()).RootElement);
                };
            })
            .AddJwtBearer(jwt =>
            {
                (jwt.Authority, jwt.RequireHttpsMetadata, jwt.MapInboundClaims) = (issuer, false, false);
                jwt.TokenValidationParameters.ValidTypes = ["at+jwt"];
                jwt.TokenValidationParameters.ValidAlgorithms = ["RS256", "ES256"];
                jwt.TokenValidationParameters.ValidAudience = "https://orders.example";
            });
        var app = builder.Build();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapGet("/mine", (ClaimsPrincipal user) => "hello " + user.Identity!.Name).RequireAuthorization();
        app.MapGet("/api", (ClaimsPrincipal user) => user.FindFirst("client_id")!.Value)
            .RequireAuthorization(policy => policy.AddAuthenticationSchemes(JwtBearerDefaults.AuthenticationScheme).RequireAuthenticatedUser());
        return app;
    }
}
