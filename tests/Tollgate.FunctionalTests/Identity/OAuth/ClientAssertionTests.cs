using System.Net;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.JsonWebTokens;

namespace Tollgate.FunctionalTests.Identity.OAuth;

public sealed class ClientAssertionTests
{
    internal const string Type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    [Theory]
    [OnBothDatabases]
    public async Task A_client_proves_itself_with_its_own_key_once_for_each_assertion(Shape shape)
    {
        using var key = new ClientKey();
        await using var site = await StartAsync(key, shape);
        var assertion = key.Assertion("partner");
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => TokenAsync(site, assertion)));
        answers.Count(a => a.Status == HttpStatusCode.OK).ShouldBe(1);
        foreach (var again in answers.Where(a => a.Status != HttpStatusCode.OK)) again.ShouldBeError("invalid_client", 401);

        var token = answers.Single(a => a.Status == HttpStatusCode.OK).Text("access_token");
        new JsonWebToken(token).Alg.ShouldBe("ES256");   // as the client was declared
        (await site.PostAsync("/connect/introspect", OAuthSite.Form(("token", token), ("client_assertion_type", Type), ("client_assertion", key.Assertion("partner")))))
            .Json.GetProperty("active").GetBoolean().ShouldBeTrue();
        (await site.PostAsync("/connect/revocation", OAuthSite.Form(("token", token), ("client_assertion_type", Type), ("client_assertion", key.Assertion("partner")))))
            .Status.ShouldBe(HttpStatusCode.OK);
        (await site.PostAsync("/connect/introspect", OAuthSite.Form(("token", token), ("client_assertion_type", Type), ("client_assertion", key.Assertion("partner")))))
            .Body.ShouldBe("""{"active":false}""");
    }

    [Theory]
    [OnBothDatabases]
    public async Task Anything_else_than_a_fresh_assertion_for_this_issuer_by_the_clients_own_key_is_refused(Shape shape)
    {
        using var key = new ClientKey();
        using var other = new ClientKey();
        await using var site = await StartAsync(key, shape);
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        (string What, string Assertion)[] bad =
        [
            ("another's key", other.Assertion("partner")),
            ("a key in the header", other.Assertion("partner", header: h => h["jwk"] = other.PublicJwk)),
            ("an address of keys", other.Assertion("partner", header: h => h["jku"] = "https://evil.example/jwks")),
            ("the token endpoint as audience", key.Assertion("partner", c => c["aud"] = OAuthSite.Issuer + "/connect/token")),
            ("two audiences", key.Assertion("partner", c => c["aud"] = new JsonArray(OAuthSite.Issuer, "https://other.example"))),
            ("another audience", key.Assertion("partner", c => c["aud"] = "https://other.example")),
            ("no audience", key.Assertion("partner", c => c.Remove("aud"))),
            ("expired", key.Assertion("partner", c => c["exp"] = now - 120)),
            ("far too long", key.Assertion("partner", c => c["exp"] = now + 86_400)),
            ("no expiry", key.Assertion("partner", c => c.Remove("exp"))),
            ("not yet", key.Assertion("partner", c => c["nbf"] = now + 300)),
            ("no jti", key.Assertion("partner", c => c.Remove("jti"))),
            ("a jti that is no text", key.Assertion("partner", c => c["jti"] = 1)),
            ("another issuer", key.Assertion("partner", c => c["iss"] = "worker")),
            ("another subject", key.Assertion("partner", c => c["sub"] = "worker")),
            ("another client", key.Assertion("worker")),
            ("alg none", key.Assertion("partner", header: h => h["alg"] = "none")),
            ("alg HS256", key.Assertion("partner", header: h => h["alg"] = "HS256")),
            ("alg RS256", key.Assertion("partner", header: h => h["alg"] = "RS256")),
            ("an extension that must be understood", key.Assertion("partner", header: h => h["crit"] = new JsonArray("b64"))),
            ("no JWT", "a.b.c"),
            ("nothing", "..."),
        ];
        foreach (var (what, assertion) in bad)
        {
            var answer = await TokenAsync(site, assertion);
            ((int)answer.Status, answer.Json.GetProperty("error").GetString()).ShouldBe((401, "invalid_client"), what);
        }

        (await site.TokenAsync(OAuthSite.Form(("grant_type", "client_credentials"), ("client_assertion_type", "what"), ("client_assertion", key.Assertion("partner"))))).ShouldBeError("invalid_client", 401);
        (await site.TokenAsync(OAuthSite.Form(("grant_type", "client_credentials"), ("client_id", "worker"), ("client_assertion_type", Type), ("client_assertion", key.Assertion("partner")))))
            .ShouldBeError("invalid_client", 401);
        (await site.TokenAsync(OAuthSite.Form(("grant_type", "client_credentials"), ("client_assertion_type", Type), ("client_assertion", key.Assertion("partner"))),
            OAuthSite.Basic("partner", "x"))).ShouldBeError("invalid_request");
        (await TokenAsync(site, key.Assertion("partner", c => c["aud"] = new JsonArray(OAuthSite.Issuer)))).Status.ShouldBe(HttpStatusCode.OK);
        (await TokenAsync(site, key.Assertion("partner"))).Status.ShouldBe(HttpStatusCode.OK);   // none of them has locked it out
    }

    private static Task<OAuthSite> StartAsync(ClientKey key, Shape shape = Shape.Sqlite) => OAuthSite.StartAsync(shape, file: $$"""
        {
          "scopes": [{ "name": "weather.read", "audience": "https://weather.example" }],
          "clients": [
            { "clientId": "worker", "secret": "worker secret", "grants": ["client_credentials"], "scopes": ["weather.read"] },
            { "clientId": "partner", "jwks": {{key.Jwks}}, "grants": ["client_credentials"], "scopes": ["weather.read"], "signingAlgorithm": "ES256" }
          ]
        }
        """);

    private static Task<Answer> TokenAsync(OAuthSite site, string assertion) =>
        site.TokenAsync(OAuthSite.Form(("grant_type", "client_credentials"), ("client_assertion_type", Type), ("client_assertion", assertion)));
}
