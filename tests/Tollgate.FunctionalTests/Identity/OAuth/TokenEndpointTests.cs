using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Tollgate.Contracts.Feeds;

namespace Tollgate.FunctionalTests.Identity.OAuth;

public sealed class TokenEndpointTests
{
    [Theory]
    [OnBothDatabases]
    public async Task A_program_gets_a_token_that_says_who_and_for_what(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        var answer = await site.TokenAsync("grant_type=client_credentials&scope=weather.read", OAuthSite.Basic("worker", OAuthSite.Secret));
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Body);
        answer.Headers.CacheControl!.NoStore.ShouldBeTrue();
        (answer.Text("token_type"), answer.Text("scope"), answer.Json.GetProperty("expires_in").GetInt32()).ShouldBe(("Bearer", "weather.read", 900));
        answer.Json.TryGetProperty("refresh_token", out _).ShouldBeFalse();

        var keys = new JsonWebKeySet(await site.Http.GetStringAsync("/.well-known/openid-configuration/jwks")).GetSigningKeys();
        var read = await new JsonWebTokenHandler { MapInboundClaims = false }.ValidateTokenAsync(answer.Text("access_token"), new TokenValidationParameters
        {
            ValidTypes = ["at+jwt"], ValidAlgorithms = ["RS256"], ValidIssuer = OAuthSite.Issuer, ValidAudience = "https://weather.example", IssuerSigningKeys = keys,
        });
        read.IsValid.ShouldBeTrue(read.Exception?.Message);
        (read.Claims["sub"], read.Claims["client_id"], read.Claims["scope"]).ShouldBe(("worker", "worker", "weather.read"));
        read.Claims.Keys.ShouldBe(["iss", "sub", "aud", "client_id", "iat", "exp", "jti", "scope"], ignoreOrder: true);

        var all = await site.TokenAsync("grant_type=client_credentials&client_id=worker&client_secret=" + WebUtility.UrlEncode(OAuthSite.Secret));
        all.Text("scope").ShouldBe("weather.read maps");
        new JsonWebToken(all.Text("access_token")).Audiences.ShouldBe(["https://maps.example", "https://weather.example"]);
        new JsonWebToken((await site.TokenAsync("grant_type=client_credentials", OAuthSite.Basic("plain-worker", "another secret"))).Text("access_token"))
            .Audiences.ShouldBe([OAuthSite.Issuer]);
        var forMaps = new JsonWebToken(await site.WorkerTokenAsync("&resource=https%3A%2F%2Fmaps.example"));
        (forMaps.Audiences.Single(), forMaps.GetClaim("scope").Value).ShouldBe(("https://maps.example", "maps"), "what other APIs understand is left out");
        site.Host.Logs.All.ShouldNotContain(answer.Text("access_token"));
        site.Host.Logs.All.ShouldNotContain(OAuthSite.Secret);
    }

    [Theory]
    [OnBothDatabases]
    public async Task Each_wrong_request_gets_its_word(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        var worker = OAuthSite.Basic("worker", OAuthSite.Secret);
        const string grant = "grant_type=client_credentials";
        var secret = "&client_secret=" + WebUtility.UrlEncode(OAuthSite.Secret);

        (await site.Http.GetAsync("/connect/token?" + grant)).StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        (await site.PostAsync("/connect/token", """{"grant_type":"client_credentials"}""", worker, "application/json")).ShouldBeError("invalid_request");
        (await site.PostAsync("/connect/token?" + grant, "", worker)).ShouldBeError("invalid_request");
        (await site.TokenAsync(grant + "&" + grant, worker)).ShouldBeError("invalid_request");
        (await site.TokenAsync(grant + "&scope=maps&scope=maps", "Basic nonsense")).ShouldBeError("invalid_request");   // before the client is looked at
        (await site.TokenAsync("scope=maps", worker)).ShouldBeError("invalid_request");
        (await site.TokenAsync("grant_type=", worker)).ShouldBeError("invalid_request");
        (await site.TokenAsync("grant_type=password&username=a&password=b", worker)).ShouldBeError("unsupported_grant_type");
        (await site.TokenAsync(grant + "&client_id=worker" + secret, worker)).ShouldBeError("invalid_request");
        (await site.TokenAsync(grant + "&client_id=stranger", worker)).ShouldBeError("invalid_request");
        (await site.TokenAsync(grant, OAuthSite.Basic("stranger", "stranger secret"))).ShouldBeError("unauthorized_client");
        (await site.TokenAsync(grant + "&scope=weather.write", worker)).ShouldBeError("invalid_scope");
        (await site.TokenAsync(grant + "&scope=nothing", worker)).ShouldBeError("invalid_scope");
        (await site.TokenAsync(grant + "&scope=openid", worker)).ShouldBeError("invalid_scope");
        (await site.TokenAsync(grant + "&scope=a%22b", worker)).ShouldBeError("invalid_scope");
        (await site.TokenAsync(grant + "&resource=https%3A%2F%2Felsewhere.example", worker)).ShouldBeError("invalid_target");
        (await site.TokenAsync(grant + "&scope=" + new string('a', 301), worker)).ShouldBeError("invalid_request");
        (await site.TokenAsync(grant + "&scope=%00", worker)).ShouldBeError("invalid_request");
        (await site.TokenAsync(grant + "&x=" + new string('a', 70_000), worker)).ShouldBeError("invalid_request");
        (await site.TokenAsync(grant + string.Concat(Enumerable.Range(0, 500).Select(i => $"&p{i}=1")), worker)).ShouldBeError("invalid_request");
        (await site.TokenAsync(grant + "&client_id=" + new string('a', 101) + secret)).ShouldBeError("invalid_request");
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_client_that_cannot_prove_itself_gets_401_whatever_the_reason(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        const string grant = "grant_type=client_credentials";
        foreach (var header in new[]
        {
            OAuthSite.Basic("worker", "wrong"), OAuthSite.Basic("nobody", OAuthSite.Secret), OAuthSite.Basic("worker", ""), OAuthSite.Basic("WORKER", OAuthSite.Secret),
            OAuthSite.Basic("worker", OAuthSite.Secret + "x"), "Basic ", "Basic %%%", "Basic " + Convert.ToBase64String("worker"u8), "Bearer abc", "Digest x",
            "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("wor\0ker:x")), OAuthSite.Basic("spa", "x"), OAuthSite.Basic("' OR 1=1 --", "x"),
        })
        {
            var answer = await site.TokenAsync(grant, header);
            answer.ShouldBeError("invalid_client", 401);
            answer.Headers.WwwAuthenticate.ToString().ShouldStartWith("Basic");
        }

        (await site.TokenAsync(grant)).ShouldBeError("invalid_client", 401);
        (await site.TokenAsync(grant + "&client_id=worker")).ShouldBeError("invalid_client", 401);
        (await site.TokenAsync(grant + "&client_id=worker&client_secret=")).ShouldBeError("invalid_client", 401);
        (await site.TokenAsync(grant + "&client_id=spa&client_secret=x")).ShouldBeError("invalid_client", 401);
        (await site.TokenAsync(grant + "&client_id=spa")).ShouldBeError("unauthorized_client");
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_revoked_token_is_dead_at_introspection_and_the_gateways_hear_of_it(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        var token = await site.WorkerTokenAsync("&scope=weather.read");
        var alive = await site.IntrospectAsync(token);
        (alive.Json.GetProperty("active").GetBoolean(), alive.Text("client_id"), alive.Text("scope"), alive.Text("aud")).ShouldBe((true, "worker", "weather.read", "https://weather.example"));

        // Of another's revocation nothing comes, nor of an unknown token's; both are answered alike.
        (await site.PostAsync("/connect/revocation", OAuthSite.Form(("token", token)), OAuthSite.Basic("stranger", "stranger secret"))).Status.ShouldBe(HttpStatusCode.OK);
        (await site.PostAsync("/connect/revocation", "token=nonsense&token_type_hint=what", OAuthSite.Basic("worker", OAuthSite.Secret))).Status.ShouldBe(HttpStatusCode.OK);
        (await site.IntrospectAsync(token)).Json.GetProperty("active").GetBoolean().ShouldBeTrue();

        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ =>
            site.PostAsync("/connect/revocation", OAuthSite.Form(("token", token), ("token_type_hint", "refresh_token")), OAuthSite.Basic("worker", OAuthSite.Secret))));
        answers.ShouldAllBe(a => a.Status == HttpStatusCode.OK);
        (await site.IntrospectAsync(token)).Body.ShouldBe("""{"active":false}""");
        (await site.Host.FeedAsync()).Items.OfType<RevokedTokenItem>().ShouldHaveSingleItem().Jti.ShouldBe(new JsonWebToken(token).Id);
    }

    [Theory]
    [OnBothDatabases]
    public async Task An_api_sees_tokens_for_itself_alone(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        var token = await site.WorkerTokenAsync("&scope=weather.read");
        (await site.IntrospectAsync(token, "maps-api")).Body.ShouldBe("""{"active":false}""");
        (await site.IntrospectAsync(token, "stranger", "stranger secret")).Body.ShouldBe("""{"active":false}""");
        (await site.IntrospectAsync(token, "worker", OAuthSite.Secret)).Json.GetProperty("active").GetBoolean().ShouldBeTrue();
        (await site.PostAsync("/connect/introspect", OAuthSite.Form(("token", token)))).ShouldBeError("invalid_client", 401);
        (await site.PostAsync("/connect/introspect", OAuthSite.Form(("token", token), ("client_id", "spa")))).ShouldBeError("invalid_client", 401);
        (await site.PostAsync("/connect/introspect", "", OAuthSite.Basic("weather-api", "api secret"))).ShouldBeError("invalid_request");
        (await site.Http.GetAsync("/connect/introspect?token=" + token)).StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
    }

    [Theory]
    [OnBothDatabases]
    public async Task Forged_tokens_are_not_active(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        var token = await site.WorkerTokenAsync("&scope=weather.read");
        var parts = token.Split('.');
        var header = JsonDocument.Parse(Base64UrlEncoder.Decode(parts[0])).RootElement;
        var kid = header.GetProperty("kid").GetString();
        var publicKey = JsonDocument.Parse(await site.Http.GetStringAsync("/.well-known/openid-configuration/jwks")).RootElement.GetProperty("keys")[0].GetRawText();
        string Head(string json) => Base64UrlEncoder.Encode(json);
        var hmac = Convert.ToBase64String(System.Security.Cryptography.HMACSHA256.HashData(Encoding.UTF8.GetBytes(publicKey),
            Encoding.ASCII.GetBytes(Head($$"""{"alg":"HS256","typ":"at+jwt","kid":"{{kid}}"}""") + "." + parts[1]))).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        foreach (var forged in new[]
        {
            Head("""{"alg":"none","typ":"at+jwt"}""") + $".{parts[1]}.",
            Head($$"""{"alg":"NoNe","typ":"at+jwt","kid":"{{kid}}"}""") + $".{parts[1]}.",
            Head($$"""{"alg":"HS256","typ":"at+jwt","kid":"{{kid}}"}""") + $".{parts[1]}.{hmac}",
            Head($$"""{"alg":"RS256","typ":"at+jwt","kid":"../../etc/passwd"}""") + $".{parts[1]}.{parts[2]}",
            Head($$"""{"alg":"RS256","typ":"at+jwt","kid":"{{kid}}","jku":"https://evil.example/jwks"}""") + $".{parts[1]}.{parts[2]}",
            Head($$"""{"alg":"RS256","typ":"JWT","kid":"{{kid}}"}""") + $".{parts[1]}.{parts[2]}",
            Head("[]") + $".{parts[1]}.{parts[2]}", "..", "a.b.c", "a.b.c.d", new string('a', 60_000).Insert(10, ".").Insert(20, "."),
            $"{parts[0]}.{Head(Base64UrlEncoder.Decode(parts[1]).Replace("weather.read", "weather.write"))}.{parts[2]}", token[..^2], token + ".x", token + "A",
        })
        {
            var answer = await site.IntrospectAsync(forged);
            if (forged.Length > 51_200) answer.ShouldBeError("invalid_request");
            else answer.Body.ShouldBe("""{"active":false}""", forged);
        }
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_token_lives_as_long_as_it_says(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape, settings: ("Identity:AccessTokenLifetimeSeconds", "60"));
        var answer = await site.TokenAsync("grant_type=client_credentials", OAuthSite.Basic("worker", OAuthSite.Secret));
        answer.Json.GetProperty("expires_in").GetInt32().ShouldBe(60);
        var token = new JsonWebToken(answer.Text("access_token"));
        (token.ValidTo - token.IssuedAt).ShouldBe(TimeSpan.FromSeconds(60));
    }
}
