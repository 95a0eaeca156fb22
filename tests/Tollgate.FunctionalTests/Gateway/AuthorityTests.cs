using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>Tokens of an OpenID provider: discovery, a key that is replaced, and a provider that is away.</summary>
public sealed class AuthorityTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly RSA _first = RSA.Create(2048);
    private readonly RSA _second = RSA.Create(2048);
    private volatile string _keys = "";
    private StubUpstream _upstream = null!;
    private StubUpstream _authority = null!;
    private GatewayProcess _gateway = null!;

    public async Task InitializeAsync()
    {
        _keys = Jwks("k1", _first);
        _upstream = await StubUpstream.StartAsync();
        _authority = await StubUpstream.StartAsync(http => http.Request.Path.Value switch
        {
            "/.well-known/openid-configuration" => http.Response.WriteAsync($$"""{ "issuer": "https://issuer", "jwks_uri": "{{_authority.Url}}/keys" }"""),
            "/keys" => http.Response.WriteAsync(_keys),
            _ => Task.FromException(new InvalidOperationException(http.Request.Path)),
        });
        _gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", $$"""
            { "Routes": [ {{Routes.Route("/a", "/a", _upstream.Port, "\"AuthenticationOptions\": { \"AuthenticationProviderKeys\": [ \"Idp\" ] }")}} ],
              "Tollgate": { "Authentication": { "Providers": { "Idp": { "Authority": "{{_authority.Url}}", "Audience": "api" } } } } }
            """));
        await _gateway.WaitForLineAsync(line => line.Contains("are live: 1"));
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _authority.DisposeAsync();
        await _upstream.DisposeAsync();
        _first.Dispose();
        _second.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Keys_are_found_replaced_and_kept_while_the_provider_is_away()
    {
        (await CallAsync(Token("k1", _first))).StatusCode.ShouldBe(HttpStatusCode.OK);
        await (await CallAsync(Token("k1", _second))).ShouldBeProblemAsync(401, "invalid-credentials");
        await (await CallAsync(Token("k1", _first, "https://other"))).ShouldBeProblemAsync(401, "invalid-credentials");

        // A new key is fetched because a token names it; until then the caller is asked to come back, not called a forger.
        _keys = Jwks("k2", _second);
        var fresh = Token("k2", _second);
        await Deadline.UntilAsync("the new key is known", async () =>
        {
            var answer = await CallAsync(fresh);
            answer.StatusCode.ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable);
            return answer.StatusCode == HttpStatusCode.OK;
        });
        var gone = Token("k1", _first);
        await Deadline.UntilAsync("the old key is known to be gone", async () =>
        {
            var answer = await CallAsync(gone);
            answer.StatusCode.ShouldBeOneOf(HttpStatusCode.Unauthorized, HttpStatusCode.ServiceUnavailable);    // it may have come back, and is looked for
            return answer.StatusCode == HttpStatusCode.Unauthorized;
        });
        await (await CallAsync(gone)).ShouldBeProblemAsync(401, "invalid-credentials");

        // A flood of unknown keys is not passed on: one look in ten seconds.
        var asked = KeysAsked();
        var since = Stopwatch.GetTimestamp();
        for (var i = 0; i < 20; i++) (await CallAsync(Token($"x{i}", _first))).StatusCode.ShouldBeOneOf(HttpStatusCode.Unauthorized, HttpStatusCode.ServiceUnavailable);
        (KeysAsked() - asked).ShouldBeLessThanOrEqualTo(1 + (int)(Stopwatch.GetElapsedTime(since).TotalSeconds / 10));

        await _authority.DisposeAsync();
        (await CallAsync(Token("k2", _second))).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private int KeysAsked() => _authority.Seen.Count(seen => seen.Target == "/keys");

    private Task<HttpResponseMessage> CallAsync(string token) => _gateway.GetAsync("/a", ("Authorization", $"Bearer {token}"));

    private static string Token(string kid, RSA key, string issuer = "https://issuer") => new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
    {
        Issuer = issuer,
        Audience = "api",
        Expires = DateTime.UtcNow.AddMinutes(5),
        SigningCredentials = new SigningCredentials(new RsaSecurityKey(key) { KeyId = kid, CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false } }, SecurityAlgorithms.RsaSha256),
    });

    private static string Jwks(string kid, RSA key)
    {
        var parameters = key.ExportParameters(false);
        return $$"""{ "keys": [ { "kty": "RSA", "use": "sig", "kid": "{{kid}}", "n": "{{Base64UrlEncoder.Encode(parameters.Modulus!)}}", "e": "{{Base64UrlEncoder.Encode(parameters.Exponent!)}}" } ] }""";
    }
}
