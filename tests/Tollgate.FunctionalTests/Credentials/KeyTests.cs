using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Tollgate.Contracts;
using Tollgate.FunctionalTests.Gateway;
using Tollgate.Testing;
using GatewayProcess = Tollgate.FunctionalTests.Gateway.GatewayProcess;

namespace Tollgate.FunctionalTests.Credentials;

/// <summary>How keys come to the gateway, what goes on to the upstream, and what never does. A gateway on files alone.</summary>
public sealed class KeyTests : IAsyncLifetime
{
    private const string Imported = "sk+imported/key=of.the customer";

    private static readonly string Ours = ApiKeyFormat.Generate(test: false);
    private static readonly string Test = ApiKeyFormat.Generate(test: true);
    private static readonly string Narrow = ApiKeyFormat.Generate(test: false);
    private static readonly string Elsewhere = ApiKeyFormat.Generate(test: false);
    private static readonly string Risky = ApiKeyFormat.Generate(test: false);

    private readonly TempFolder _folder = new();
    private StubUpstream _upstream = null!;
    private GatewayProcess _gateway = null!;
    private string _consumers = "";

    public async Task InitializeAsync()
    {
        _upstream = await StubUpstream.StartAsync();
        var config = _folder.Write("ocelot.json", $$"""
            { "Routes": [
                {{Routes.Route("/plain", "/plain", _upstream.Port)}},
                {{Routes.Route("/w/{rest}", "/{rest}", _upstream.Port, "\"Tollgate\": { \"Product\": \"weather\" }")}},
                {{Routes.Route("/q/{rest}", "/{rest}", _upstream.Port, "\"Tollgate\": { \"Product\": \"weather\", \"KeyQuery\": \"api_key\" }")}},
                {{Routes.Route("/all?{everything}", "/all?{everything}", _upstream.Port, "\"Tollgate\": { \"Product\": \"weather\", \"KeyQuery\": \"api_key\" }")}},
                {{Routes.Route("/pass/{rest}", "/{rest}", _upstream.Port, "\"Tollgate\": { \"Product\": \"weather\", \"KeyQuery\": \"api_key\", \"ForwardCredentials\": true }")}},
                {{Routes.Route("/scoped", "/scoped", _upstream.Port, "\"Tollgate\": { \"Product\": \"weather\", \"Scopes\": [ \"weather.write\", \"weather.read\" ] }")}},
                {{Routes.Route("/signed", "/signed", _upstream.Port, "\"Tollgate\": { \"Product\": \"weather\", \"ConsumerToken\": true }")}} ] }
            """);
        _consumers = $$"""
            { "plans": [ { "name": "gold", "products": [ "weather" ] } ],
              "applications": [
                { "name": "shop", "organisation": "acme", "subscriptions": [ { "plan": "gold" } ],
                  "keys": [ { "key": "{{Ours}}" }, { "key": "{{Test}}" }, { "key": "{{Narrow}}", "scopes": [ "weather.read" ] },
                            { "key": "{{Elsewhere}}", "networks": [ "10.1.0.0/16" ] }, { "key": "{{Risky}}", "highRisk": true },
                            { "sha256": "{{ApiKeyFormat.Sha256Hex(Imported)}}" } ] } ] }
            """;
        _gateway = await GatewayProcess.StartAsync(config, "--consumers", _folder.Write("consumers.json", _consumers), "--data", _folder.File("data"),
            "--internal", "http://127.0.0.1:0", "--Gateway:FeedMaxAgeSeconds", "1", "--Logging:LogLevel:Default", "Debug", "--Logging:LogLevel:Yarp", "Debug");
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_key_is_taken_from_either_header_whatever_its_form_and_goes_no_further()
    {
        foreach (var key in new[] { Ours, Test, Imported })
        {
            await OkAsync("/w/a", ("X-Api-Key", key));
            Last.ContainsKey("X-Api-Key").ShouldBeFalse();
            await OkAsync("/w/a", ("authorization", $"bearer {key}"));
            Last.ContainsKey("Authorization").ShouldBeFalse();
            await OkAsync("/w/a", ("x-API-key", key), ("Authorization", $"Bearer {Ours}"));
            Last.ContainsKey("Authorization").ShouldBeFalse();
            foreach (var wrong in new[] { key + "x", key[..^1], key + key })
            {
                await (await _gateway.GetAsync("/w/a", ("X-Api-Key", wrong))).ShouldBeProblemAsync(401, "invalid-credentials");
                await (await _gateway.GetAsync("/w/a", ("Authorization", $"Bearer {wrong}"))).ShouldBeProblemAsync(401, "invalid-credentials");
            }
        }

        // What is not ours to know goes on: the upstream's own business.
        await OkAsync("/w/a", ("X-Api-Key", Ours), ("Authorization", "Basic own"));
        Last["Authorization"].ShouldBe("Basic own");
        await (await _gateway.GetAsync("/w/a", ("X-Api-Key", Ours), ("X-Api-Key", Test))).ShouldBeProblemAsync(401, "invalid-credentials");
    }

    [Fact]
    public async Task A_key_in_the_query_is_taken_only_where_the_route_asks_for_it_and_is_seen_nowhere()
    {
        await OkAsync($"/q/a?x=1&api_key={Ours}&y=2");
        _upstream.Seen.Last().Target.ShouldBe("/a?x=1&y=2");
        await OkAsync($"/q/a?API%5Fkey={Uri.EscapeDataString(Imported)}");
        _upstream.Seen.Last().Target.ShouldBe("/a");
        await OkAsync($"/all?api_key={Ours}&x=1&y=%20");
        _upstream.Seen.Last().Target.ShouldBe("/all?x=1&y=%20");
        await OkAsync($"/q/a?api_key={Ours}x", ("X-Api-Key", Ours));
        _upstream.Seen.Last().Target.ShouldBe("/a", "the header decides, and the query is stripped all the same");

        await (await _gateway.GetAsync($"/w/a?api_key={Ours}")).ShouldBeProblemAsync(401, "missing-credentials");
        await (await _gateway.GetAsync($"/q/a?key={Ours}")).ShouldBeProblemAsync(401, "missing-credentials");
        await (await _gateway.GetAsync($"/q/a?access_token={Ours}")).ShouldBeProblemAsync(401, "missing-credentials");
        await (await _gateway.GetAsync($"/q/a?api_key={Ours}x")).ShouldBeProblemAsync(401, "invalid-credentials");
        await (await _gateway.GetAsync($"/q/a?api_key={Ours}&api_key={Ours}")).ShouldBeProblemAsync(401, "invalid-credentials");
        await (await _gateway.GetAsync("/q/a?api_key=")).ShouldBeProblemAsync(401, "invalid-credentials");
        _gateway.Output.ShouldNotContain(Ours);
    }

    [Fact]
    public async Task Credentials_go_on_only_where_the_route_says_so()
    {
        await OkAsync("/pass/a?z=1", ("X-Api-Key", Ours));
        Last["X-Api-Key"].ShouldBe(Ours);
        await OkAsync("/pass/a", ("Authorization", $"Bearer {Ours}"));
        Last["Authorization"].ShouldBe($"Bearer {Ours}");
        await OkAsync($"/pass/a?api_key={Ours}");
        _upstream.Seen.Last().Target.ShouldBe($"/a?api_key={Ours}");
    }

    [Fact]
    public async Task Who_calls_is_told_by_the_gateway_alone()
    {
        await OkAsync("/w/a", ("X-Api-Key", Test), ("x-consumer-ID", "forged"), ("X-CONSUMER-plan", "forged"), ("X_Consumer_Application", "forged"), ("X-Consumer-Token", "forged"),
            ("X-Consumer-Anything", "forged"));
        Last["X-Consumer-Application"].ShouldBe("shop");
        Last["X-Consumer-Organisation"].ShouldBe("acme");
        Last["X-Consumer-Plan"].ShouldBe("gold");
        Last["X-Consumer-Mode"].ShouldBe("test");
        Guid.TryParse(Last["X-Consumer-Id"], out _).ShouldBeTrue();
        Last.Values.ShouldNotContain(value => value.Contains("forged"));

        await OkAsync("/plain", ("X-Consumer-Id", "forged"), ("X-Api-Key", "the upstream's own"));
        Last.Keys.ShouldNotContain(name => name.StartsWith("X-Consumer", StringComparison.OrdinalIgnoreCase));
        Last["X-Api-Key"].ShouldBe("the upstream's own", "a plain route has no keys of ours");
    }

    [Fact]
    public async Task A_trailer_cannot_tell_who_calls()
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, _gateway.Address.Port);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /w/a HTTP/1.1\r\nHost: x\r\nX-Api-Key: {Ours}\r\nConnection: close\r\nTrailer: X-Consumer-Plan\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Consumer-Plan: forged\r\n\r\n"));
        using var reader = new StreamReader(stream);
        (await reader.ReadToEndAsync()).ShouldStartWith("HTTP/1.1 200");
        Last["X-Consumer-Plan"].ShouldBe("gold");
    }

    [Fact]
    public async Task Scopes_and_networks_of_a_key_are_kept_to_and_the_challenge_names_the_scopes()
    {
        await OkAsync("/scoped", ("X-Api-Key", Ours));
        var answer = await _gateway.GetAsync("/scoped", ("X-Api-Key", Narrow));
        await answer.ShouldBeProblemAsync(403, "insufficient-scope");
        answer.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer realm=\"tollgate\", error=\"insufficient_scope\", scope=\"weather.write weather.read\"");
        await (await _gateway.GetAsync("/w/a", ("X-Api-Key", Elsewhere))).ShouldBeProblemAsync(403, "ip-not-allowed");

        // RFC 6750 §3.1: who has shown nothing, or something of another scheme, is told no error.
        foreach (var missing in new[] { await _gateway.GetAsync("/w/a"), await _gateway.GetAsync("/w/a", ("Authorization", "Basic eA==")) })
        {
            await missing.ShouldBeProblemAsync(401, "missing-credentials");
            missing.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer realm=\"tollgate\"");
        }

        (await _gateway.GetAsync("/w/a", ("Authorization", "Bearer nonsense"))).Headers.WwwAuthenticate.ToString().ShouldBe("Bearer realm=\"tollgate\", error=\"invalid_token\"");
    }

    [Fact]
    public async Task The_upstream_can_verify_who_calls()
    {
        await OkAsync("/signed", ("X-Api-Key", Ours));
        var word = Last["X-Consumer-Token"];
        await OkAsync("/w/a", ("X-Api-Key", Ours));
        Last.ContainsKey("X-Consumer-Token").ShouldBeFalse();

        var jwks = await _gateway.GetAsync("/.well-known/tollgate/jwks.json");
        jwks.Headers.CacheControl!.Public.ShouldBeTrue();
        var keys = new JsonWebKeySet(await jwks.Content.ReadAsStringAsync());
        keys.Keys.ShouldAllBe(key => !key.HasPrivateKey);
        var result = await new JsonWebTokenHandler().ValidateTokenAsync(word, new TokenValidationParameters
        {
            IssuerSigningKeys = keys.GetSigningKeys(), ValidIssuer = "tollgate", ValidAudience = "weather", ValidAlgorithms = ["ES256"], ClockSkew = TimeSpan.FromSeconds(5),
        });
        result.IsValid.ShouldBeTrue(result.Exception?.ToString());
        var token = (JsonWebToken)result.SecurityToken;
        (token.ValidTo - DateTime.UtcNow).ShouldBeInRange(TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(61));
        token.Subject.ShouldBe(_upstream.Seen.Last().Headers["X-Consumer-Id"]);
        (token.GetClaim("application").Value, token.GetClaim("organisation").Value, token.GetClaim("plan").Value).ShouldBe(("shop", "acme", "gold"));

        // The same key after a restart: upstreams need not notice.
        var kept = Directory.GetFiles(_folder.File("data/consumer-keys")).ShouldHaveSingleItem();
        if (!OperatingSystem.IsWindows()) File.GetUnixFileMode(kept).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public async Task A_key_of_high_risk_is_refused_while_its_source_cannot_be_read()
    {
        await OkAsync("/w/a", ("X-Api-Key", Risky));
        _folder.Write("consumers.json", "{ broken");
        await Deadline.UntilAsync("the key is refused", async () =>
        {
            await OkAsync("/w/a", ("X-Api-Key", Ours));
            return (await _gateway.GetAsync("/w/a", ("X-Api-Key", Risky))).StatusCode == HttpStatusCode.ServiceUnavailable;
        });
        var refused = await _gateway.GetAsync("/w/a", ("X-Api-Key", Risky));
        await refused.ShouldBeProblemAsync(503, "not-ready");
        refused.Headers.RetryAfter.ShouldNotBeNull();

        _folder.Write("consumers.json", _consumers);
        await Deadline.UntilAsync("the key is taken again", async () => (await _gateway.GetAsync("/w/a", ("X-Api-Key", Risky))).StatusCode == HttpStatusCode.OK);
    }

    [Fact]
    public async Task Malformed_keys_of_ours_cost_no_look_up()
    {
        var @internal = new Uri((await _gateway.WaitForLineAsync(line => line.StartsWith("Internal on ", StringComparison.Ordinal)))["Internal on ".Length..]);
        using var http = new HttpClient { BaseAddress = @internal };
        await OkAsync("/w/a", ("X-Api-Key", Ours));
        var before = await LookupsAsync();
        for (var i = 0; i < 50; i++) await (await _gateway.GetAsync("/w/a", ("X-Api-Key", $"tg_live_{i:D36}"))).ShouldBeProblemAsync(401, "invalid-credentials");
        (await LookupsAsync()).ShouldBe(before);
        for (var i = 0; i < 50; i++) await (await _gateway.GetAsync("/w/a", ("X-Api-Key", $"any{i}"))).ShouldBeProblemAsync(401, "invalid-credentials");
        (await LookupsAsync()).ShouldBe(before + 50);

        async Task<long> LookupsAsync() => (await http.GetStringAsync("/metrics")).Split('\n')
            .Where(line => line.StartsWith("tollgate_gateway_key_lookups_total", StringComparison.Ordinal)).Select(line => long.Parse(line.Split(' ')[1])).Single();
    }

    private IReadOnlyDictionary<string, string> Last => _upstream.Seen.Last().Headers;

    private async Task OkAsync(string target, params (string, string)[] headers)
    {
        var answer = await _gateway.GetAsync(target, headers);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync());
    }
}
