using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>Products, plans and keys from a consumers file, without a control plane.</summary>
public sealed class PaidCallTests : IAsyncLifetime
{
    private const string Secret = "a secret of at least thirty-two bytes";
    private const string Key = "imported-key-of-the-customer";

    private readonly TempFolder _folder = new();
    private StubUpstream _upstream = null!;
    private GatewayProcess _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await StubUpstream.StartAsync(async http =>
        {
            if (http.Request.Path == "/wait") await Task.Delay(Timeout.Infinite, http.RequestAborted);
            if (http.Request.Path == "/break") http.Abort();
            await http.Response.WriteAsync("paid");
        });
        var dead = FreePort.Next();
        var config = _folder.Write("ocelot.json", $$"""
            { "Routes": [
                {{Routes.Route("/weather/{rest}", "/{rest}", _upstream.Port, "\"Key\": \"weather\", \"Tollgate\": { \"Product\": \"weather\" }")}},
                {{Routes.Route("/write", "/write", _upstream.Port, "\"Tollgate\": { \"Product\": \"weather\", \"Scopes\": [ \"write\" ] }")}},
                {{Routes.Route("/dead", "/", dead, "\"Tollgate\": { \"Product\": \"weather\" }")}},
                {{Routes.Route("/maps", "/", _upstream.Port, "\"Tollgate\": { \"Product\": \"maps\" }")}},
                {{Routes.Route("/plain", "/plain", _upstream.Port)}},
                {{Routes.Route("/members", "/members", _upstream.Port, "\"AuthenticationOptions\": { \"AuthenticationProviderKey\": \"Key1\", \"AllowedScopes\": [ \"read\", \"all\" ] }")}}
              ],
              "Tollgate": { "Authentication": { "Providers": { "Key1": { "HS256Secret": "{{Secret}}", "Issuer": "https://issuer", "Audience": "api" } } } } }
            """);
        var consumers = _folder.Write("consumers.json", $$"""
            { "plans": [ { "name": "gold", "products": [ "weather" ], "limits": [ { "name": "minute", "calls": 5, "window": "60s" } ] },
                         { "name": "wide", "products": [ "weather" ], "limits": [ { "name": "minute", "calls": 100000, "window": "60s" } ] } ],
              "applications": [
                { "name": "Café", "organisation": "acme", "subscriptions": [ { "plan": "wide" } ],
                  "keys": [ { "sha256": "{{Sha256(Key)}}" }, { "sha256": "{{Sha256("expired-key-of-the-customer")}}", "expires": "2020-01-01T00:00:00Z" } ], "clients": [ "client-1" ] },
                { "name": "small", "organisation": "acme", "subscriptions": [ { "plan": "gold" } ], "keys": [ { "sha256": "{{Sha256("small-key-of-the-customer")}}" } ] } ] }
            """);
        _gateway = await GatewayProcess.StartAsync(config, "--consumers", consumers, "--data", _folder.File("data"));
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_good_key_is_let_through_and_the_upstream_learns_who_calls_but_not_the_key()
    {
        var answer = await _gateway.GetAsync("/weather/berlin", ("X-Api-Key", Key), ("X-Consumer-Plan", "forged"), ("Authorization", "Basic own"));

        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
        answer.Headers.GetValues("RateLimit-Policy").ShouldHaveSingleItem().ShouldContain("\"minute\"");
        answer.Headers.Contains("RateLimit").ShouldBeTrue();
        var headers = _upstream.Seen.ShouldHaveSingleItem().Headers;
        headers.ContainsKey("X-Api-Key").ShouldBeFalse();
        headers["Authorization"].ShouldBe("Basic own");
        headers["X-Consumer-Organisation"].ShouldBe("acme");
        headers["X-Consumer-Application"].ShouldBe("Caf%C3%A9");
        headers["X-Consumer-Plan"].ShouldNotContain("forged");
        Guid.TryParse(headers["X-Consumer-Id"], out _).ShouldBeTrue();
    }

    [Theory]
    [InlineData(null, 401, "missing-credentials")]
    [InlineData("", 401, "invalid-credentials")]
    [InlineData(Key + "x", 401, "invalid-credentials")]
    [InlineData(Key + " xyz", 401, "invalid-credentials")]
    [InlineData("imported-key-of-the-custome", 401, "invalid-credentials")]
    [InlineData("IMPORTED-KEY-OF-THE-CUSTOMER", 401, "invalid-credentials")]
    [InlineData("tg_live_garbage", 401, "invalid-credentials")]
    [InlineData("expired-key-of-the-customer", 401, "key-expired")]
    public async Task A_key_that_is_not_exactly_right_is_refused(string? key, int status, string slug)
    {
        var answer = key is null ? await _gateway.GetAsync("/weather/x") : await _gateway.GetAsync("/weather/x", ("X-Api-Key", key));

        await answer.ShouldBeProblemAsync(status, slug);
        answer.Headers.WwwAuthenticate.ToString().ShouldContain("Bearer");
        answer.Headers.WwwAuthenticate.ToString().Contains("invalid_token").ShouldBe(key is not null);
        _upstream.Seen.ShouldBeEmpty();
        _gateway.Output.ShouldNotContain("key-of-the-custom");
    }

    [Fact]
    public async Task Another_product_is_not_subscribed_and_a_plain_route_asks_nobody()
    {
        await (await _gateway.GetAsync("/maps", ("X-Api-Key", Key))).ShouldBeProblemAsync(403, "not-subscribed");
        (await _gateway.GetAsync("/plain")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _gateway.GetAsync("/plain", ("X-Api-Key", "anything"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        _upstream.Seen.Last().Headers["X-Api-Key"].ShouldBe("anything");
    }

    [Fact]
    public async Task The_plan_admits_no_more_than_its_limit_and_says_when_to_come_back()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _gateway.GetAsync("/weather/x", ("X-Api-Key", "small-key-of-the-customer"))));

        answers.Count(answer => answer.StatusCode == HttpStatusCode.OK).ShouldBe(5);
        var refused = answers.First(answer => answer.StatusCode == HttpStatusCode.TooManyRequests);
        await refused.ShouldBeProblemAsync(429, "rate-limited");
        refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds.ShouldBeInRange(1, 62);    // the window, the part of it in which the first call fell, and what a gateway adds that was held up
        refused.Headers.GetValues("RateLimit").ShouldHaveSingleItem().ShouldContain("r=0");
    }

    [Fact]
    public async Task A_token_of_a_known_client_is_as_good_as_a_key_within_its_scopes()
    {
        (await _gateway.GetAsync("/weather/x", Bearer(Token("client-1", "read")))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _gateway.GetAsync("/write", Bearer(Token("client-1", "read write")))).StatusCode.ShouldBe(HttpStatusCode.OK);
        var answer = await _gateway.GetAsync("/write", Bearer(Token("client-1", "read")));
        await answer.ShouldBeProblemAsync(403, "insufficient-scope");
        answer.Headers.WwwAuthenticate.ToString().ShouldContain("insufficient_scope");
        await (await _gateway.GetAsync("/weather/x", Bearer(Token("stranger", "read")))).ShouldBeProblemAsync(401, "invalid-credentials");
        await (await _gateway.GetAsync("/weather/x", Bearer(Token("client-1", "read", -60)))).ShouldBeProblemAsync(401, "token-expired");
        await (await _gateway.GetAsync("/weather/x", Bearer("not.a.token"))).ShouldBeProblemAsync(401, "invalid-credentials");
    }

    [Fact]
    public async Task A_plain_route_with_AuthenticationOptions_asks_for_a_token()
    {
        await (await _gateway.GetAsync("/members")).ShouldBeProblemAsync(401, "missing-credentials");
        (await _gateway.GetAsync("/members", Bearer(Token("anyone", "read")))).StatusCode.ShouldBe(HttpStatusCode.OK);
        await (await _gateway.GetAsync("/members", Bearer(Token("anyone", "other")))).ShouldBeProblemAsync(403, "insufficient-scope");
        (await _gateway.SendAsync(HttpMethod.Options, "/members")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_call_whose_caller_went_away_is_told_as_499()
    {
        using var gone = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/weather/wait") { Headers = { { "X-Api-Key", Key } } };
        var call = _gateway.Client.SendAsync(request, gone.Token);
        await Deadline.UntilAsync("the call reaches the service", () => Task.FromResult(_upstream.Seen.Any(seen => seen.Target == "/wait")));

        await gone.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(call);

        (await _gateway.StopAsync()).ShouldBe(0);
        await using var journal = GatewayProcess.Launch("journal", _folder.File("data"));
        (await journal.WaitForExitAsync()).ShouldBe(0);
        journal.Output.ShouldContain("\"status\":499");
    }

    [Fact]
    public async Task What_was_answered_is_in_the_journal_and_nothing_else()
    {
        for (var i = 0; i < 7; i++) (await _gateway.GetAsync("/weather/x", ("X-Api-Key", Key))).EnsureSuccessStatusCode();
        for (var i = 0; i < 2; i++) await (await _gateway.GetAsync("/dead", ("X-Api-Key", Key))).ShouldBeProblemAsync(502, "upstream-unreachable");
        await (await _gateway.GetAsync("/weather/x", ("X-Api-Key", "nobody"))).ShouldBeProblemAsync(401, "invalid-credentials");
        (await _gateway.GetAsync("/plain")).EnsureSuccessStatusCode();
        await _gateway.KillAsync();

        await using var journal = GatewayProcess.Launch("journal", _folder.File("data"), "--sum");
        (await journal.WaitForExitAsync()).ShouldBe(0);
        var lines = journal.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement).ToArray();

        lines.Select(line => (line.GetProperty("application").GetString(), line.GetProperty("product").GetString(), line.GetProperty("status").GetInt32(), line.GetProperty("calls").GetInt32(), line.GetProperty("units").GetInt32()))
            .ShouldBe([("Café", "weather", 200, 7, 7), ("Café", "weather", 502, 2, 0)], ignoreOrder: true);
    }

    private static (string, string) Bearer(string token) => ("Authorization", $"Bearer {token}");

    private static string Token(string client, string scope, int expiresInSeconds = 60) => new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(new SecurityTokenDescriptor
    {
        Issuer = "https://issuer",
        Audience = "api",
        Expires = DateTime.UtcNow.AddSeconds(expiresInSeconds),
        Claims = new Dictionary<string, object> { ["client_id"] = client, ["scope"] = scope },
        SigningCredentials = new SigningCredentials(new SymmetricSecurityKey(Encoding.UTF8.GetBytes(Secret)), SecurityAlgorithms.HmacSha256),
    });

    private static string Sha256(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
}
