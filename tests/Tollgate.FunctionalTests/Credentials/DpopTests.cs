using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Tollgate.Contracts;
using Tollgate.FunctionalTests.Gateway;
using Tollgate.FunctionalTests.Identity.OAuth;
using Tollgate.Testing;
using GatewayProcess = Tollgate.FunctionalTests.Gateway.GatewayProcess;

namespace Tollgate.FunctionalTests.Credentials;

/// <summary>Tokens that are bound to a key (RFC 9449) at the gateway, and where it says that tokens are had (RFC 9728).</summary>
public sealed class DpopTests : IAsyncLifetime
{
    private const string Address = "https://api.example.com/w/a";
    private readonly TempFolder _folder = new();
    private readonly ClientKey _key = new();
    private readonly string _apiKey = ApiKeyFormat.Generate(test: false);
    private TokenIssuer _issuer = null!;
    private StubUpstream _introspection = null!;
    private StubUpstream _upstream = null!;
    private GatewayProcess _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await StubUpstream.StartAsync();
        _issuer = await TokenIssuer.StartAsync();
        _introspection = await StubUpstream.StartAsync(async http => await http.Response.WriteAsJsonAsync(new
        {
            active = (await http.Request.ReadFormAsync())["token"] == "opaque", client_id = "worker", exp = DateTimeOffset.UtcNow.AddMinutes(5).ToUnixTimeSeconds(), cnf = new { jkt = _key.Thumbprint },
        }));
        const string product = "\"Tollgate\": { \"Product\": \"weather\"";
        var config = _folder.Write("ocelot.json", $$"""
            { "Routes": [ {{Routes.Route("/w/{x}", "/w", _upstream.Port, product + " }")}},
                          {{Routes.Route("/scoped", "/w", _upstream.Port, product + ", \"Scopes\": [ \"read\" ] }")}},
                          {{Routes.Route("/orders", "/w", _upstream.Port, product + ", \"Audiences\": [ \"orders\" ] }")}},
                          {{Routes.Route("/one", "/w", _upstream.Port, product + " }, \"Key\": \"one\"")}},
                          {{Routes.Route("/two", "/w", _upstream.Port, product + " }, \"Key\": \"two\"")}},
                          {{Routes.Route("/kept", "/w", _upstream.Port, product + ", \"ForwardCredentials\": true }")}} ],
              "Aggregates": [ { "UpstreamPathTemplate": "/both", "RouteKeys": [ "one", "two" ] },
                              { "UpstreamPathTemplate": "/sold", "RouteKeys": [ "one", "two" ], "Tollgate": { "Product": "weather" } } ],
              "Tollgate": { "Authentication": { "Providers": {
                "First": { "Authority": "{{_issuer.Url}}" },
                "Opaque": { "Introspection": { "Endpoint": "{{_introspection.Url}}/introspect", "ClientId": "gateway", "ClientSecret": "secret" } } } } } }
            """);
        var consumers = _folder.Write("consumers.json", $$"""
            { "plans": [ { "name": "gold", "products": [ "weather" ] } ],
              "applications": [ { "name": "app", "subscriptions": [ { "plan": "gold" } ], "clients": [ "worker" ], "keys": [ { "key": "{{_apiKey}}" } ] } ] }
            """);
        _gateway = await GatewayProcess.StartAsync(config, "--consumers", consumers, "--Gateway:TrustedProxies", "127.0.0.1");
        await Deadline.UntilAsync("the issuer is known", async () => (await _gateway.GetAsync("/w/a", ("Authorization", $"Bearer {_issuer.Token()}"))).StatusCode == HttpStatusCode.OK);
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _introspection.DisposeAsync();
        await _issuer.DisposeAsync();
        await _upstream.DisposeAsync();
        _key.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_bound_token_is_taken_from_the_holder_of_its_key_alone_and_goes_no_further()
    {
        var token = Bound();
        var proof = Proof(token, "/w/a");
        (await CallAsync("/w/a", token, proof)).StatusCode.ShouldBe(HttpStatusCode.OK);
        var seen = _upstream.Seen.Last().Headers;
        (seen.ContainsKey("Authorization"), seen.ContainsKey("DPoP"), seen["X-Consumer-Application"]).ShouldBe((false, false, "app"));
        (await CallAsync("/w/a?q=1", token, Proof(token, "/w/a"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await CallAsync("/kept", token, Proof(token, "/kept"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        _upstream.Seen.Last().Headers.ContainsKey("DPoP").ShouldBeTrue();

        await RefusedAsync("used before", "/w/a", token, proof);
        using var stranger = new ClientKey();
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        foreach (var (what, wrong) in new (string, string?)[]
        {
            ("none", null), ("garbage", "x"), ("two", $"{Proof(token, "/w/a")},{Proof(token, "/w/a")}"),
            ("another's key", Proof(token, "/w/a", by: stranger)), ("another token", Proof(Bound(), "/w/a")), ("no token", Proof(null, "/w/a")),
            ("another path", Proof(token, "/w/b")), ("another host", Proof(token, "http://other.example/w/a")), ("another method", Proof(token, "/w/a", claims: c => c["htm"] = "POST")),
            ("old", Proof(token, "/w/a", claims: c => c["iat"] = now - 300)), ("of the future", Proof(token, "/w/a", claims: c => c["iat"] = now + 300)),
            ("no jti", Proof(token, "/w/a", claims: c => c.Remove("jti"))), ("another type", Proof(token, "/w/a", header: h => h["typ"] = "JWT")),
            ("none alg", Proof(token, "/w/a", header: h => h["alg"] = "none")), ("private", Proof(token, "/w/a", header: h => h["jwk"]!["d"] = "AAAA")),
        })
            await RefusedAsync(what, "/w/a", token, wrong);

        // As a bearer token it is worth nothing, and a token that is not bound proves nothing.
        var bearer = await _gateway.GetAsync("/w/a", ("Authorization", $"Bearer {token}"));
        await bearer.ShouldBeProblemAsync(401, "token-bound");
        bearer.Headers.WwwAuthenticate.Select(challenge => challenge.Scheme).ShouldBe(["Bearer", "DPoP"]);
        var free = _issuer.Token();
        await (await CallAsync("/w/a", free, Proof(free, "/w/a"))).ShouldBeProblemAsync(401, "invalid-credentials");
        foreach (var cnf in new object[] { new Dictionary<string, object> { ["x5t#S256"] = "abc" }, new Dictionary<string, object>(), "text" })
        {
            var other = _issuer.Token(more: new() { ["cnf"] = cnf });
            await (await CallAsync("/w/a", other, Proof(other, "/w/a"))).ShouldBeProblemAsync(401, "invalid-credentials");
        }

        var narrow = await CallAsync("/scoped", token, Proof(token, "/scoped"));
        await narrow.ShouldBeProblemAsync(403, "insufficient-scope");
        narrow.Headers.WwwAuthenticate.ToString().ShouldBe("DPoP realm=\"tollgate\", error=\"insufficient_scope\", scope=\"read\", algs=\"RS256 PS256 ES256\"");
    }

    [Fact]
    public async Task The_address_of_a_proof_is_the_one_that_the_caller_used()
    {
        var token = Bound();
        (string, string)[] proxied = [("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "api.example.com")];
        (await CallAsync("/w/a", token, Proof(token, "https://api.example.com/w/a"), proxied)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await (await CallAsync("/w/a", token, Proof(token, "/w/a"), proxied)).ShouldBeProblemAsync(401, "invalid-dpop-proof");
        (await CallAsync("/w/a", token, Proof(token, "https://API.example.com:443/w/a"), proxied)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_proof_that_one_gateway_took_is_taken_by_no_other_that_shares_its_Redis_and_without_it_once_by_each()
    {
        await using var redis = await RedisServer.StartAsync();
        string[] options = ["--consumers", Path.Combine(_folder.Path, "consumers.json"), "--Gateway:PublicUrl", "https://api.example.com", "--ConnectionStrings:Redis", redis.ConnectionString, "--internal", "http://127.0.0.1:0"];
        await using var one = await GatewayProcess.StartAsync(Path.Combine(_folder.Path, "ocelot.json"), options);
        await using var other = await GatewayProcess.StartAsync(Path.Combine(_folder.Path, "ocelot.json"), options);
        var token = Bound();
        foreach (var gateway in new[] { one, other })
            await Deadline.UntilAsync("a proof is taken", async () => (await ShowAsync(gateway, Proof(token, Address))).StatusCode == HttpStatusCode.OK);

        for (var round = 0; round < 20;)
        {
            var (first, second) = round % 2 == 0 ? (one, other) : (other, one);
            await UntilInTouchAsync();
            var proof = Proof(token, Address);
            var started = Stopwatch.GetTimestamp();
            (await ShowAsync(first, proof)).StatusCode.ShouldBe(HttpStatusCode.OK);
            var shown = await ShowAsync(second, proof);
            var inTime = IsInTime(started);
            await (await ShowAsync(first, proof)).ShouldBeProblemAsync(401, "invalid-dpop-proof");
            if (!inTime) continue;
            await shown.ShouldBeProblemAsync(401, "invalid-dpop-proof");
            round++;
        }
        for (var round = 0; round < 10;)
        {
            await UntilInTouchAsync();
            var proof = Proof(token, Address);
            var started = Stopwatch.GetTimestamp();
            var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => ShowAsync(i % 2 == 0 ? one : other, proof)));
            var inTime = IsInTime(started);
            answers.Count(answer => answer.StatusCode == HttpStatusCode.OK).ShouldBeInRange(1, inTime ? 1 : 2);    // each takes it once in any case
            if (inTime) round++;
        }

        await redis.KillAsync();
        var alone = Proof(token, Address);
        (await ShowAsync(one, alone)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await ShowAsync(one, alone)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await ShowAsync(other, alone)).StatusCode.ShouldBe(HttpStatusCode.OK, "nobody told it");
        await redis.StartServerAsync();
        await Deadline.UntilAsync("gateways tell each other again", async () =>
        {
            var proof = Proof(token, Address);
            return (await ShowAsync(one, proof)).StatusCode == HttpStatusCode.OK && (await ShowAsync(other, proof)).StatusCode == HttpStatusCode.Unauthorized;
        });

        // After a long silence of Redis, which a busy machine may be, a gateway takes it for lost until it answers again.
        Task UntilInTouchAsync() => Deadline.UntilAsync("both gateways hear Redis", async () => await IsInTouchAsync(one) && await IsInTouchAsync(other));

        async Task<bool> IsInTouchAsync(GatewayProcess gateway)
        {
            using var http = new HttpClient { BaseAddress = await gateway.InternalAddressAsync() };
            return !(await http.GetFromJsonAsync<JsonElement>("/limits")).GetProperty("ledgerAway").GetBoolean();
        }

        // A call waits for Redis for 250 ms: where it took longer, the machine was too busy, and nothing is said of the other gateway.
        static bool IsInTime(long started) => Stopwatch.GetElapsedTime(started) < TimeSpan.FromMilliseconds(200);

        Task<HttpResponseMessage> ShowAsync(GatewayProcess gateway, string proof) => gateway.GetAsync("/w/a", ("Authorization", $"DPoP {token}"), ("DPoP", proof));
    }

    [Theory]
    [InlineData("/both")]
    [InlineData("/sold")]
    public async Task One_proof_is_good_for_all_calls_that_the_gateway_makes_of_one(string path)
    {
        var token = Bound();
        var proof = Proof(token, path);
        (await CallAsync(path, token, proof)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await RefusedAsync("used before", path, token, proof);
        await RefusedAsync("for a member", path, token, Proof(token, "/one"));
    }

    [Fact]
    public async Task An_opaque_token_may_be_bound_too()
    {
        // The first question of all may take longer than a call waits.
        await Deadline.UntilAsync("the token is taken", async () => (await CallAsync("/w/a", "opaque", Proof("opaque", "/w/a"))).StatusCode == HttpStatusCode.OK);
        await RefusedAsync("none", "/w/a", "opaque", null);
        await (await _gateway.GetAsync("/w/a", ("Authorization", "Bearer opaque"))).ShouldBeProblemAsync(401, "token-bound");
    }

    [Fact]
    public async Task A_route_takes_tokens_of_its_audience_alone_and_keys_as_before()
    {
        (await _gateway.GetAsync("/orders", ("Authorization", $"Bearer {_issuer.Token(audience: "orders")}"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        await (await _gateway.GetAsync("/orders", ("Authorization", $"Bearer {_issuer.Token()}"))).ShouldBeProblemAsync(401, "invalid-credentials");
        (await _gateway.GetAsync("/orders", ("X-Api-Key", _apiKey))).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Who_has_no_token_is_told_where_to_get_one()
    {
        var refused = await _gateway.GetAsync("/scoped");
        await refused.ShouldBeProblemAsync(401, "missing-credentials");
        var metadata = $"{Url}/.well-known/oauth-protected-resource/scoped";
        refused.Headers.GetValues("WWW-Authenticate").ShouldBe([$"Bearer realm=\"tollgate\", resource_metadata=\"{metadata}\"", "DPoP algs=\"RS256 PS256 ES256\""]);

        var told = JsonDocument.Parse(await (await _gateway.GetAsync("/.well-known/oauth-protected-resource/scoped")).Content.ReadAsStringAsync()).RootElement;
        told.GetProperty("resource").GetString().ShouldBe($"{Url}/scoped");
        told.GetProperty("authorization_servers").EnumerateArray().Single().GetString().ShouldBe(_issuer.Name);
        told.GetProperty("scopes_supported").EnumerateArray().Single().GetString().ShouldBe("read");
        told.GetProperty("bearer_methods_supported").EnumerateArray().Single().GetString().ShouldBe("header");
        (await _gateway.GetAsync("/.well-known/oauth-protected-resource")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task What_a_token_says_twice_or_as_text_is_not_believed()
    {
        var later = DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeSeconds();
        var good = $"\"iss\":\"{_issuer.Name}\",\"aud\":\"api\",\"client_id\":\"worker\"";
        (await _gateway.GetAsync("/w/a", ("Authorization", $"Bearer {_issuer.Sign($"{{{good},\"exp\":{later}}}")}"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        foreach (var claims in new[]
        {
            good, $"{good},\"exp\":\"{later}\"", $"{good},\"exp\":{later},\"nbf\":\"soon\"", $"{good},\"exp\":{later},\"iat\":{later}", $"{good},\"exp\":{later},\"client_id\":\"worker\"",
            $"{good},\"exp\":1,\"exp\":{later}",
        })
            await (await _gateway.GetAsync("/w/a", ("Authorization", $"Bearer {_issuer.Sign($"{{{claims}}}")}"))).ShouldBeProblemAsync(401, "invalid-credentials");
        var asked = _introspection.Seen.Count;
        await (await _gateway.GetAsync("/w/a", ("Authorization", $"Bearer {_issuer.Token("nobody")}"))).ShouldBeProblemAsync(401, "invalid-credentials");
        _introspection.Seen.Count.ShouldBe(asked, "what one issuer signed is nothing to ask another about");
    }

    private string Url => _gateway.Address.GetLeftPart(UriPartial.Authority);

    private string Bound() => _issuer.Token(more: new() { ["cnf"] = new Dictionary<string, object> { ["jkt"] = _key.Thumbprint }, ["jti"] = Guid.NewGuid().ToString() });

    private string Proof(string? token, string address, ClientKey? by = null, Action<JsonObject>? claims = null, Action<JsonObject>? header = null) =>
        (by ?? _key).Proof("", "GET", token, body =>
        {
            body["htu"] = address[0] == '/' ? Url + address : address;
            claims?.Invoke(body);
        }, header);

    private Task<HttpResponseMessage> CallAsync(string path, string token, string? proof, params (string, string)[] more) =>
        _gateway.GetAsync(path, [("Authorization", $"DPoP {token}"), .. proof is null ? Array.Empty<(string, string)>() : [("DPoP", proof)], .. more]);

    private async Task RefusedAsync(string what, string path, string token, string? proof)
    {
        var answer = await CallAsync(path, token, proof);
        answer.StatusCode.ShouldBe(HttpStatusCode.Unauthorized, what);
        await answer.ShouldBeProblemAsync(401, "invalid-dpop-proof");
        answer.Headers.WwwAuthenticate.ToString().ShouldStartWith("DPoP realm=\"tollgate\", error=\"invalid_dpop_proof\"");
    }
}
