using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Http;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.FunctionalTests.Feeds;
using Tollgate.FunctionalTests.Gateway;
using Tollgate.Testing;
using GatewayProcess = Tollgate.FunctionalTests.Gateway.GatewayProcess;

namespace Tollgate.FunctionalTests.Credentials;

/// <summary>Tokens of several issuers, signed and opaque, and how they are taken back through the feed.</summary>
public sealed class TokenRuleTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly ConcurrentDictionary<string, object> _opaque = new();
    private TokenIssuer _first = null!;
    private TokenIssuer _second = null!;
    private StubUpstream _upstream = null!;
    private StubUpstream _introspection = null!;
    private FakeControlPlane _plane = null!;
    private GatewayProcess _gateway = null!;
    private volatile bool _broken;

    public async Task InitializeAsync()
    {
        _upstream = await StubUpstream.StartAsync();
        _first = await TokenIssuer.StartAsync();
        _second = await TokenIssuer.StartAsync();
        _introspection = await StubUpstream.StartAsync(async http =>
        {
            var form = await http.Request.ReadFormAsync();
            if (_broken || http.Request.Headers.Authorization != "Basic " + Convert.ToBase64String("gateway:s%26cret"u8)) http.Response.StatusCode = 500;
            else await http.Response.WriteAsJsonAsync(_opaque.GetValueOrDefault(form["token"].ToString(), new { active = false }));
        });
        _plane = await FakeControlPlane.StartAsync();
        var app = new ApplicationItem(AppId.New(), OrganisationId.New(), "shop", "acme", false);
        _plane.Publish(app, new ClientItem("worker", app.Id), new ClientItem("bound", app.Id, _first.Name),
            new EntitlementItem(SubscriptionId.New(), app.Id, "weather", "gold v1", PlanVersionId.New(), EntitlementState.Active, LedgerLoss.FairShare, [], []));
        var config = _folder.Write("ocelot.json", $$"""
            { "Routes": [ {{Routes.Route("/w", "/w", _upstream.Port, "\"Tollgate\": { \"Product\": \"weather\" }")}},
                          {{Routes.Route("/scoped", "/w", _upstream.Port, "\"Tollgate\": { \"Product\": \"weather\", \"Scopes\": [ \"read\" ] }")}} ],
              "Tollgate": { "Authentication": { "Providers": {
                "Second": { "Authority": "{{_second.Url}}", "Audience": "api" },
                "Opaque": { "Introspection": { "Endpoint": "{{_introspection.Url}}/introspect", "ClientId": "gateway", "ClientSecret": "s&cret" } } } } } }
            """);
        _gateway = await GatewayProcess.StartAsync(config, $"--Gateway:ControlPlane={_plane.Address}", "--Gateway:Token", FakeControlPlane.Token,
            "--Gateway:Providers:First:Authority", _first.Url, "--data", _folder.File("data"));
        await Deadline.UntilAsync("both issuers are known", async () =>
            (await CallAsync(_first.Token())).StatusCode == HttpStatusCode.OK && (await CallAsync(_second.Token())).StatusCode == HttpStatusCode.OK);
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _plane.DisposeAsync();
        await _first.DisposeAsync();
        await _second.DisposeAsync();
        await _introspection.DisposeAsync();
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Tokens_of_any_of_the_issuers_are_taken_and_go_no_further()
    {
        (await CallAsync(_first.Token())).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await CallAsync(_second.Token())).StatusCode.ShouldBe(HttpStatusCode.OK);
        _upstream.Seen.Last().Headers.ContainsKey("Authorization").ShouldBeFalse();
        _upstream.Seen.Last().Headers["X-Consumer-Application"].ShouldBe("shop");
        await (await CallAsync(_second.Token(audience: "other"))).ShouldBeProblemAsync(401, "invalid-credentials");
        await (await CallAsync(_first.Token(issuer: _second.Name))).ShouldBeProblemAsync(401, "invalid-credentials");
        await (await CallAsync(_first.Token(more: new() { ["nonce"] = "n" }))).ShouldBeProblemAsync(401, "invalid-credentials");
        await (await CallAsync(_first.Token("nobody"))).ShouldBeProblemAsync(401, "invalid-credentials");

        (await CallAsync(_first.Token("bound"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        await (await CallAsync(_second.Token("bound"))).ShouldBeProblemAsync(401, "invalid-credentials");

        // A token of one issuer is no reason to ask the others for keys.
        var asked = _second.Asked;
        for (var i = 0; i < 10; i++) (await CallAsync(_first.Token(more: new() { ["jti"] = $"j{i}" }))).StatusCode.ShouldBe(HttpStatusCode.OK);
        _second.Asked.ShouldBe(asked);

        await (await _gateway.GetAsync($"/w?access_token={_first.Token()}")).ShouldBeProblemAsync(401, "missing-credentials");
        var answer = await _gateway.GetAsync("/scoped", ("Authorization", $"Bearer {_first.Token(more: new() { ["scope"] = "write" })}"));
        await answer.ShouldBeProblemAsync(403, "insufficient-scope");
        answer.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer realm=\"tollgate\", error=\"insufficient_scope\", scope=\"read\"");
    }

    [Fact]
    public async Task A_token_is_taken_back_by_itself_with_its_client_and_with_its_subject()
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        var later = now + 3_600_000;
        var (one, other) = (_first.Token(more: new() { ["jti"] = "one" }), _first.Token(more: new() { ["jti"] = "other" }));
        var person = _first.Token(more: new() { ["sub"] = "person" });
        foreach (var token in new[] { one, other, person }) (await CallAsync(token)).StatusCode.ShouldBe(HttpStatusCode.OK);

        _plane.Publish(new RevokedTokenItem("one", later));
        await Deadline.UntilAsync("the token is refused", async () => (await CallAsync(one)).StatusCode == HttpStatusCode.Unauthorized);
        await (await CallAsync(one)).ShouldBeProblemAsync(401, "key-revoked");
        (await CallAsync(other)).StatusCode.ShouldBe(HttpStatusCode.OK);

        _plane.Publish(new RevokedBeforeItem(TokenHolder.Subject, "person", now, later));
        await Deadline.UntilAsync("the person's tokens are refused", async () => (await CallAsync(person)).StatusCode == HttpStatusCode.Unauthorized);
        (await CallAsync(other)).StatusCode.ShouldBe(HttpStatusCode.OK);

        _plane.Publish(new RevokedBeforeItem(TokenHolder.Client, "worker", now, later));
        await Deadline.UntilAsync("the client's tokens are refused", async () => (await CallAsync(other)).StatusCode == HttpStatusCode.Unauthorized);
        (await CallAsync(_first.Token(issued: DateTime.UtcNow.AddSeconds(2)))).StatusCode.ShouldBe(HttpStatusCode.OK, "what was issued since is good");
    }

    [Fact]
    public async Task An_opaque_token_is_asked_about_once_and_an_issuer_that_is_away_is_no_error_of_the_callers()
    {
        var expires = DateTimeOffset.UtcNow.AddMinutes(5).ToUnixTimeSeconds();
        _opaque["opaque-good"] = new { active = true, client_id = "worker", scope = "read", exp = expires, sub = "worker" };
        _opaque["opaque-narrow"] = new { active = true, client_id = "worker", scope = "write", exp = expires };
        _opaque["opaque-stranger"] = new { active = true, client_id = "stranger", exp = expires };

        // The first question of all may take longer than a call waits.
        await Deadline.UntilAsync("the issuer answers", async () => (await CallAsync("opaque-first")).StatusCode == HttpStatusCode.Unauthorized);
        var asked = _introspection.Seen.Count;
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => CallAsync("opaque-good", "/scoped")));
        answers.ShouldAllBe(answer => answer.StatusCode == HttpStatusCode.OK);
        _introspection.Seen.Count.ShouldBe(asked + 1);
        _upstream.Seen.Last().Headers.ContainsKey("Authorization").ShouldBeFalse();
        await (await CallAsync("opaque-narrow", "/scoped")).ShouldBeProblemAsync(403, "insufficient-scope");
        await (await CallAsync("opaque-stranger")).ShouldBeProblemAsync(401, "invalid-credentials");
        for (var i = 0; i < 3; i++) await (await CallAsync("opaque-nobody's")).ShouldBeProblemAsync(401, "invalid-credentials");
        _introspection.Seen.Count.ShouldBe(asked + 4, "what was said is remembered, good and bad");
        await (await CallAsync("tg_live_is-never-a-token")).ShouldBeProblemAsync(401, "invalid-credentials");
        _introspection.Seen.Count.ShouldBe(asked + 4);

        _broken = true;
        var away = await CallAsync("opaque-new");
        await away.ShouldBeProblemAsync(503, "not-ready");
        away.Headers.RetryAfter.ShouldNotBeNull();
        (await CallAsync("opaque-good", "/scoped")).StatusCode.ShouldBe(HttpStatusCode.OK, "vouched for lately");
        _broken = false;
        _opaque["opaque-new"] = _opaque["opaque-good"];
        await Deadline.UntilAsync("the issuer is asked again", async () => (await CallAsync("opaque-new")).StatusCode == HttpStatusCode.OK);
    }

    private Task<HttpResponseMessage> CallAsync(string token, string path = "/w") => _gateway.GetAsync(path, ("Authorization", $"Bearer {token}"));
}
