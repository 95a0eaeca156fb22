using System.Net;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.IdentityModel.JsonWebTokens;
using Tollgate.Identity.Storage;
using static Tollgate.FunctionalTests.Identity.OAuth.CodeFlow;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>Tokens that are bound to a key (RFC 9449), and requests that are sent ahead (RFC 9126).</summary>
public sealed class SenderTests
{
    [Theory]
    [OnBothDatabases]
    public async Task A_token_that_is_bound_to_a_key_is_worth_nothing_without_it(Shape shape)
    {
        using var key = new ClientKey();
        using var other = new ClientKey();
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = await SignedInAsync(site);
        var code = await CodeAsync(person, Ask("spa", "http://127.0.0.1:5000/cb", "openid offline_access weather.read", "&dpop_jkt=" + key.Thumbprint));
        var redeem = OAuthSite.Form(("grant_type", "authorization_code"), ("code", code), ("redirect_uri", "http://127.0.0.1:5000/cb"), ("code_verifier", Verifier), ("client_id", "spa"));
        var tokens = await DpopAsync(site, redeem, key.Proof("/connect/token"));
        tokens.Text("token_type").ShouldBe("DPoP");
        var access = tokens.Text("access_token");
        System.Text.Json.JsonDocument.Parse(new JsonWebToken(access).GetClaim("cnf").Value).RootElement.GetProperty("jkt").GetString().ShouldBe(key.Thumbprint);
        var seen = await site.IntrospectAsync(access);
        (seen.Text("token_type"), seen.Json.GetProperty("cnf").GetProperty("jkt").GetString()).ShouldBe(("DPoP", key.Thumbprint));

        (await UserInfoAsync(site, access)).Status.ShouldBe(HttpStatusCode.Unauthorized);   // shown as the bearer's
        (await InfoAsync(site, access, null)).ShouldBe(HttpStatusCode.Unauthorized);
        (await InfoAsync(site, access, other.Proof("/connect/userinfo", "GET", access))).ShouldBe(HttpStatusCode.Unauthorized);
        (await InfoAsync(site, access, key.Proof("/connect/userinfo", "GET"))).ShouldBe(HttpStatusCode.Unauthorized);   // no ath
        (await InfoAsync(site, access, key.Proof("/connect/userinfo", "GET", access + "x"))).ShouldBe(HttpStatusCode.Unauthorized);
        var proof = key.Proof("/connect/userinfo", "GET", access);
        (await InfoAsync(site, access, proof)).ShouldBe(HttpStatusCode.OK);
        (await InfoAsync(site, access, proof)).ShouldBe(HttpStatusCode.Unauthorized);   // once

        // A public client's refresh tokens are bound too, and a wrong key spends nothing.
        var refresh = OAuthSite.Form(("grant_type", "refresh_token"), ("refresh_token", tokens.Text("refresh_token")), ("client_id", "spa"));
        (await site.TokenAsync(refresh)).ShouldBeError("invalid_grant");
        (await DpopAsync(site, refresh, other.Proof("/connect/token"))).ShouldBeError("invalid_grant");
        (await DpopAsync(site, refresh, key.Proof("/connect/token"))).Text("token_type").ShouldBe("DPoP");
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_code_for_one_key_is_not_redeemed_with_another(Shape shape)
    {
        using var key = new ClientKey();
        using var other = new ClientKey();
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = await SignedInAsync(site);
        foreach (var proof in new[] { null, other.Proof("/connect/token") })
        {
            var code = await CodeAsync(person, Ask("spa", "http://127.0.0.1:5000/cb", "openid", "&dpop_jkt=" + key.Thumbprint));
            (await DpopAsync(site, OAuthSite.Form(("grant_type", "authorization_code"), ("code", code), ("redirect_uri", "http://127.0.0.1:5000/cb"), ("code_verifier", Verifier),
                ("client_id", "spa")), proof)).ShouldBeError("invalid_grant");
        }
    }

    [Theory]
    [OnBothDatabases]
    public async Task Every_flaw_of_a_proof_is_found(Shape shape)
    {
        using var key = new ClientKey();
        using var other = new ClientKey();
        await using var site = await OAuthSite.StartAsync(shape);
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        (string What, string Proof)[] bad =
        [
            ("another method", key.Proof("/connect/token", "GET")),
            ("another address", key.Proof("/connect/userinfo")),
            ("another host", key.Proof("", claims: c => c["htu"] = "https://evil.example/connect/token")),
            ("no address", key.Proof("/connect/token", claims: c => c.Remove("htu"))),
            ("no method", key.Proof("/connect/token", claims: c => c.Remove("htm"))),
            ("no jti", key.Proof("/connect/token", claims: c => c.Remove("jti"))),
            ("no time", key.Proof("/connect/token", claims: c => c.Remove("iat"))),
            ("too old", key.Proof("/connect/token", claims: c => c["iat"] = now - 600)),
            ("of the future", key.Proof("/connect/token", claims: c => c["iat"] = now + 600)),
            ("another type", key.Proof("/connect/token", header: h => h["typ"] = "JWT")),
            ("no key", key.Proof("/connect/token", header: h => h.Remove("jwk"))),
            ("another's key", key.Proof("/connect/token", header: h => h["jwk"] = other.PublicJwk)),
            ("a private key", key.Proof("/connect/token", header: h => { var jwk = key.PublicJwk; jwk["d"] = "AAAA"; h["jwk"] = jwk; })),
            ("a symmetric key", key.Proof("/connect/token", header: h => { h["alg"] = "HS256"; h["jwk"] = new JsonObject { ["kty"] = "oct", ["k"] = "AAAA" }; })),
            ("alg none", key.Proof("/connect/token", header: h => h["alg"] = "none")),
            ("a foreign nonce", key.Proof("/connect/token", claims: c => c["nonce"] = "abc")),
            ("no JWT", "abc"),
            ("two of them", key.Proof("/connect/token") + "," + key.Proof("/connect/token")),
            ("too long", key.Proof("/connect/token", claims: c => c["x"] = new string('a', 5_000))),
        ];
        foreach (var (what, proof) in bad)
        {
            var answer = await DpopAsync(site, "grant_type=client_credentials", proof, OAuthSite.Basic("worker", OAuthSite.Secret));
            ((int)answer.Status, answer.Json.GetProperty("error").GetString()).ShouldBe((400, "invalid_dpop_proof"), what);
        }

        var once = key.Proof("/connect/token", claims: c => c["htu"] = OAuthSite.Issuer.ToUpperInvariant().Replace("HTTPS", "https") + "/connect/token?x=1#y");
        var races = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => DpopAsync(site, "grant_type=client_credentials", once, OAuthSite.Basic("worker", OAuthSite.Secret))));
        races.Count(a => a.Status == HttpStatusCode.OK).ShouldBe(1);
    }

    [Theory]
    [OnBothDatabases]
    public async Task Where_nonces_are_asked_for_a_proof_without_one_gets_one(Shape shape)
    {
        using var key = new ClientKey();
        await using var site = await OAuthSite.StartAsync(shape, settings: ("Identity:DpopNonceRequired", "true"));
        var first = await DpopAsync(site, "grant_type=client_credentials", key.Proof("/connect/token"), OAuthSite.Basic("worker", OAuthSite.Secret));
        first.ShouldBeError("use_dpop_nonce");
        var nonce = first.Headers.GetValues("DPoP-Nonce").Single();
        (await DpopAsync(site, "grant_type=client_credentials", key.Proof("/connect/token", claims: c => c["nonce"] = nonce), OAuthSite.Basic("worker", OAuthSite.Secret)))
            .Text("token_type").ShouldBe("DPoP");
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_request_that_was_sent_ahead_is_used_once_by_its_client(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = await SignedInAsync(site);
        var pushed = await PushAsync(site, Ask(more: "&state=s&nonce=n").Split('?')[1], OAuthSite.Basic("web", "web secret"));
        pushed.Status.ShouldBe(HttpStatusCode.Created, pushed.Body);
        pushed.Headers.CacheControl!.NoStore.ShouldBeTrue();
        pushed.Json.GetProperty("expires_in").GetInt32().ShouldBe(90);
        var name = WebUtility.UrlEncode(pushed.Text("request_uri"));

        (await person.GetAsync($"/connect/authorize?client_id=asks&request_uri={name}")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        // What stands beside it counts for nothing.
        var answer = Query(await person.GetAsync($"/connect/authorize?client_id=web&request_uri={name}&state=other&scope=nothing&redirect_uri=https%3A%2F%2Fevil.example"));
        (answer["state"], answer["iss"]).ShouldBe(("s", OAuthSite.Issuer));
        (await RedeemAsync(site, answer["code"]!)).Status.ShouldBe(HttpStatusCode.OK);
        (await person.GetAsync($"/connect/authorize?client_id=web&request_uri={name}")).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        Query(await person.GetAsync($"/connect/authorize?client_id=web&request_uri={name}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb"))["error"].ShouldBe("invalid_request_uri");
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_request_that_was_sent_ahead_survives_the_sign_in(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = new Visitor(site.Host.Url);
        var pushed = await PushAsync(site, Ask(more: "&prompt=login").Split('?')[1], OAuthSite.Basic("web", "web secret"));
        var signInPage = (await person.GetAsync($"/connect/authorize?client_id=web&request_uri={WebUtility.UrlEncode(pushed.Text("request_uri"))}")).Headers.Location!.OriginalString;
        (await person.GetAsync(signInPage)).Headers.GetValues("Content-Security-Policy").Single().ShouldContain("https://app.example");
        var signedIn = await person.SubmitAsync(signInPage, ("email", OAuthSite.Person), ("password", Visitor.Password));
        Query(await person.GetAsync(signedIn.Headers.Location!.OriginalString))["code"].ShouldNotBeNull();
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_wrong_request_is_told_to_the_program_that_pushes_it(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape);
        var web = OAuthSite.Basic("web", "web secret");
        var good = Ask().Split('?')[1];
        (await PushAsync(site, good, OAuthSite.Basic("web", "wrong"))).ShouldBeError("invalid_client", 401);
        (await PushAsync(site, good, OAuthSite.Basic("asks", "asks secret"))).ShouldBeError("invalid_request");   // client_id names another
        (await PushAsync(site, good.Replace("app.example", "evil.example"), web)).ShouldBeError("invalid_request");
        (await PushAsync(site, good.Replace("S256", "plain"), web)).ShouldBeError("invalid_request");
        (await PushAsync(site, good.Replace("scope=openid", "scope=nothing"), web)).ShouldBeError("invalid_scope");
        (await PushAsync(site, good.Replace("response_type=code", "response_type=token"), web)).ShouldBeError("unsupported_response_type");
        (await PushAsync(site, good + "&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Ax", web)).ShouldBeError("invalid_request");
        (await site.Http.GetAsync("/connect/par?" + good)).StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_proof_beside_a_request_that_is_sent_ahead_binds_its_code_to_the_key(Shape shape)
    {
        using var key = new ClientKey();
        using var other = new ClientKey();
        await using var site = await OAuthSite.StartAsync(shape);
        using var person = await SignedInAsync(site);
        var web = OAuthSite.Basic("web", "web secret");
        foreach (var (proof, isRight) in new[] { (null, false), (other.Proof("/connect/token"), false), (key.Proof("/connect/token"), true) })
        {
            var pushed = await DpopAsync(site, Ask().Split('?')[1], key.Proof("/connect/par"), web, "/connect/par");
            var code = await CodeAsync(person, $"/connect/authorize?client_id=web&request_uri={WebUtility.UrlEncode(pushed.Text("request_uri"))}");
            var answer = await DpopAsync(site, OAuthSite.Form(("grant_type", "authorization_code"), ("code", code), ("redirect_uri", "https://app.example/cb"), ("code_verifier", Verifier)), proof, web);
            if (isRight) answer.Text("token_type").ShouldBe("DPoP");
            else answer.ShouldBeError("invalid_grant");
        }

        (await DpopAsync(site, Ask(more: "&dpop_jkt=" + other.Thumbprint).Split('?')[1], key.Proof("/connect/par"), web, "/connect/par")).ShouldBeError("invalid_request");
    }

    [Theory]
    [OnBothDatabases]
    public async Task A_person_may_take_their_time_over_a_request_that_was_sent_ahead(Shape shape)
    {
        await using var site = await OAuthSite.StartAsync(shape, settings: ("Identity:PushedRequestLifetimeSeconds", "60"));
        using var person = new Visitor(site.Host.Url);
        var pushed = await PushAsync(site, Ask().Split('?')[1], OAuthSite.Basic("web", "web secret"));
        (await person.GetAsync($"/connect/authorize?client_id=web&request_uri={WebUtility.UrlEncode(pushed.Text("request_uri"))}")).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        var expires = await site.Host.UseAsync<IdentityDb, DateTimeOffset>(db => db.PushedRequests.Select(r => r.Expires).SingleAsync());
        (expires - DateTimeOffset.UtcNow).ShouldBeGreaterThan(TimeSpan.FromMinutes(5));
    }

    private static Task<Answer> PushAsync(OAuthSite site, string form, string authorization) => site.PostAsync("/connect/par", form, authorization);

    private static async Task<Answer> DpopAsync(OAuthSite site, string form, string? proof, string? authorization = null, string path = "/connect/token")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(form, System.Text.Encoding.UTF8, "application/x-www-form-urlencoded") };
        if (proof is not null) request.Headers.TryAddWithoutValidation("DPoP", proof);
        if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);
        return await Answer.OfAsync(await site.Http.SendAsync(request));
    }

    private static async Task<HttpStatusCode> InfoAsync(OAuthSite site, string token, string? proof)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/connect/userinfo");
        request.Headers.TryAddWithoutValidation("Authorization", "DPoP " + token);
        if (proof is not null) request.Headers.TryAddWithoutValidation("DPoP", proof);
        return (await site.Http.SendAsync(request)).StatusCode;
    }
}
