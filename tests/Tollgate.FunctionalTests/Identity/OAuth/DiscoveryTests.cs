using System.Net;
using System.Text.Json;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Tollgate.FunctionalTests.Identity.OAuth;

public sealed class DiscoveryTests
{
    [Theory]
    [OnBothDatabases]
    public async Task Both_documents_name_the_configured_issuer_whatever_the_host_header_says(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        foreach (var path in new[] { "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Host = "evil.example";
            request.Headers.Add("X-Forwarded-Host", "evil.example");
            var answer = await Answer.OfAsync(await site.Http.SendAsync(request));
            answer.Status.ShouldBe(HttpStatusCode.OK);
            answer.Body.ShouldNotContain("evil.example");
            answer.Text("issuer").ShouldBe(OAuthSite.Issuer);
            answer.Text("token_endpoint").ShouldBe(OAuthSite.Issuer + "/connect/token");
            answer.Text("jwks_uri").ShouldBe(OAuthSite.Issuer + "/.well-known/openid-configuration/jwks");
            answer.Json.GetProperty("token_endpoint_auth_methods_supported").EnumerateArray().Select(m => m.GetString()).ShouldContain("client_secret_basic");
            answer.Headers.CacheControl!.MaxAge.ShouldBe(TimeSpan.FromMinutes(5));
        }

        (await site.Http.PostAsync("/.well-known/openid-configuration", null)).StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
    }

    [Theory]
    [OnBothDatabases]
    public async Task An_issuer_with_a_path_has_its_endpoints_below_it(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape, settings: ("Identity:Issuer", "https://example.test/login"));
        (await site.Http.GetStringAsync("/login/.well-known/openid-configuration")).ShouldContain("https://example.test/login/connect/token");
        (await site.Http.GetStringAsync("/.well-known/oauth-authorization-server/login")).ShouldContain("https://example.test/login/connect/token");
        (await site.PostAsync("/login/connect/token", "grant_type=client_credentials", OAuthSite.Basic("worker", OAuthSite.Secret))).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [OnBothDatabases]
    public async Task The_key_set_holds_the_signer_and_its_successor_and_is_not_sent_twice(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        var answer = await site.Http.GetAsync("/.well-known/openid-configuration/jwks");
        var keys = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("keys").EnumerateArray().ToList();
        keys.Select(k => k.GetProperty("alg").GetString()).Order().ShouldBe(["ES256", "ES256", "RS256", "RS256"]);
        keys.Select(k => string.Join(' ', k.EnumerateObject().Select(m => m.Name))).Distinct().Order()
            .ShouldBe(["kty use alg kid crv x y", "kty use alg kid n e"]);   // no private member

        using var again = new HttpRequestMessage(HttpMethod.Get, "/.well-known/openid-configuration/jwks");
        again.Headers.IfNoneMatch.Add(answer.Headers.ETag.ShouldNotBeNull());
        (await site.Http.SendAsync(again)).StatusCode.ShouldBe(HttpStatusCode.NotModified);
    }

    [Theory]
    [OnBothDatabases]
    public async Task Microsofts_own_reader_takes_the_documents(Shape shape)
    {
        var port = Testing.FreePort.Next();
        await using var site = await OAuthSite.StartAsync(shape, settings: ("Identity:Issuer", $"http://localhost:{port}"));
        var reader = new ConfigurationManager<OpenIdConnectConfiguration>($"http://localhost:{port}/.well-known/openid-configuration",
            new OpenIdConnectConfigurationRetriever(), new Redirected(site));
        var read = await reader.GetConfigurationAsync(default);
        read.Issuer.ShouldBe($"http://localhost:{port}");
        read.SigningKeys.Count.ShouldBe(4);
    }

    [Theory]
    [OnBothDatabases]
    public async Task Only_script_of_named_origins_may_read_and_never_with_cookies(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        foreach (var (origin, allowed) in new[] { ("https://app.example", true), ("https://evil.example", false), ("null", false) })
        {
            var answer = await site.PostAsync("/connect/token", "grant_type=client_credentials", OAuthSite.Basic("worker", OAuthSite.Secret), origin: origin);
            answer.Headers.TryGetValues("Access-Control-Allow-Origin", out var value).ShouldBe(allowed);
            if (allowed) value!.ShouldBe([origin]);
            answer.Headers.Contains("Access-Control-Allow-Credentials").ShouldBeFalse();

            using var preflight = new HttpRequestMessage(HttpMethod.Options, "/connect/token");
            preflight.Headers.Add("Origin", origin);
            preflight.Headers.Add("Access-Control-Request-Method", "POST");
            (await site.Http.SendAsync(preflight)).Headers.Contains("Access-Control-Allow-Origin").ShouldBe(allowed);
        }
    }

    /// <summary>Asks the site, whatever its issuer's address: no proxy stands before it in a test.</summary>
    private sealed class Redirected(OAuthSite site) : IDocumentRetriever
    {
        public Task<string> GetDocumentAsync(string address, CancellationToken cancel) => site.Http.GetStringAsync(new Uri(address).PathAndQuery, cancel);
    }
}
