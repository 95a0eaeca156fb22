using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Tollgate.Contracts;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Limits;

/// <summary>Refusals of each state, the kinds of limits in a consumers file, and counters on the internal port, through the executable.</summary>
public sealed class LimitAdminTests : IAsyncLifetime
{
    private static readonly string[] States = ["pending", "paused", "cancelled", "suspended", "unpaid"];

    private readonly TempFolder _folder = new();
    private readonly string _key = ApiKeyFormat.Generate(false);
    private readonly Dictionary<string, string> _keys = States.ToDictionary(state => state, _ => ApiKeyFormat.Generate(false));
    private readonly string _internal = $"http://127.0.0.1:{FreePort.Next()}";
    private StubUpstream _upstream = null!;
    private GatewayProcess _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await StubUpstream.StartAsync();
        string Route(string name) => $$"""
            { "Key": "{{name}}", "UpstreamPathTemplate": "/{{name}}", "DownstreamPathTemplate": "/", "DownstreamScheme": "http",
              "DownstreamHostAndPorts": [ { "Host": "127.0.0.1", "Port": {{_upstream.Port}} } ], "Tollgate": { "Product": "api" } }
            """;
        var config = _folder.Write("ocelot.json", $$"""{ "Routes": [ {{Route("read")}}, {{Route("search")}} ] }""");
        var consumers = _folder.Write("consumers.json", $$"""
            { "plans": [ { "name": "gold", "products": [ "api" ],
                "limits": [ { "name": "minute", "calls": 5, "window": "60s" },
                            { "name": "search", "calls": 2, "window": "60s", "operations": [ "search" ], "overrides": "minute" },
                            { "name": "proposed", "calls": 1, "window": "60s", "shadow": true } ],
                "concurrency": [ { "name": "parallel", "calls": 50 } ] } ],
              "applications": [ { "name": "app", "subscriptions": [ { "plan": "gold" } ], "keys": [ { "key": "{{_key}}" } ] },
                {{string.Join(",", States.Select(state => $$"""{ "name": "{{state}}", "subscriptions": [ { "plan": "gold", "state": "{{state}}" } ], "keys": [ { "key": "{{_keys[state]}}" } ] }"""))}} ] }
            """);
        _gateway = await GatewayProcess.StartAsync(config, "--consumers", consumers, "--internal", _internal, "--Gateway:Token=tgw_the-gateways-own");
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Each_state_of_a_subscription_has_its_refusal()
    {
        var details = new HashSet<string>();
        foreach (var (state, status, slug) in new[] { ("pending", 403, "subscription-pending"), ("paused", 403, "subscription-paused"), ("cancelled", 403, "subscription-cancelled"), ("suspended", 403, "organisation-suspended"), ("unpaid", 402, "payment-required") })
        {
            using var answer = await _gateway.CallAsync("/read", _keys[state]);
            answer.StatusCode.ShouldBe((HttpStatusCode)status);
            var problem = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
            problem.GetProperty("type").GetString()!.ShouldEndWith(slug);
            details.Add(problem.GetProperty("detail").GetString()!).ShouldBeTrue(state);
        }
    }

    [Fact]
    public async Task Operations_have_limits_of_their_own_and_a_limit_in_shadow_only_speaks()
    {
        (await StatusesAsync("/search", 4)).ShouldBe([200, 200, 429, 429]);
        (await StatusesAsync("/read", 7)).ShouldBe([200, 200, 200, 200, 200, 429, 429]);
        using var answer = await _gateway.CallAsync("/read", _key);
        answer.Headers.GetValues("RateLimit-Policy").Single().ShouldBe("\"minute\";q=5;w=60, \"parallel\";q=50;qu=\"concurrent-requests\"");
    }

    [Fact]
    public async Task A_limit_in_shadow_says_whom_it_would_have_refused()
    {
        using var first = await _gateway.CallAsync("/read", _key);
        first.Headers.Contains("RateLimit-Shadow").ShouldBeFalse();
        using var second = await _gateway.CallAsync("/read", _key);
        second.StatusCode.ShouldBe(HttpStatusCode.OK);
        second.Headers.GetValues("RateLimit-Shadow").Single().ShouldBe("\"proposed\"");
        using var http = new HttpClient();
        await Deadline.UntilAsync("the metric counts", async () => (await http.GetStringAsync(_internal + "/metrics")).Contains("tollgate_gateway_limits_shadow_refusals"));
    }

    [Fact]
    public async Task Counters_are_told_and_begun_anew_to_holders_of_the_gateways_token()
    {
        (await StatusesAsync("/read", 6)).Last().ShouldBe(429);
        using var http = new HttpClient { BaseAddress = new Uri(_internal) };
        (await http.GetAsync("/limits")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        http.DefaultRequestHeaders.Add("Authorization", "Bearer tgw_the-gateways-own");

        var facts = await http.GetFromJsonAsync<JsonElement>("/limits");
        var subscription = facts.GetProperty("subscriptions").EnumerateArray().Single();
        var minute = subscription.GetProperty("counters").EnumerateArray().Single(counter => counter.GetProperty("name").GetString() == "minute");
        minute.GetProperty("limit").GetInt64().ShouldBe(5);
        minute.GetProperty("refusesMs").GetInt64().ShouldBeGreaterThan(0);

        var application = subscription.GetProperty("application").GetString();
        (await http.PostAsJsonAsync("/limits/reset", new { application, product = "api", limit = "nobody" })).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await http.PostAsJsonAsync("/limits/reset", new { application })).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await http.PostAsJsonAsync("/limits/reset", new { application, product = "api", limit = "minute" })).EnsureSuccessStatusCode();
        (await StatusesAsync("/read", 6)).ShouldBe([200, 200, 200, 200, 200, 429]);
        await _gateway.Process.WaitForLineAsync(line => line.Contains("begun anew"));
    }

    private async Task<int[]> StatusesAsync(string path, int calls)
    {
        var statuses = new List<int>();
        for (var i = 0; i < calls; i++)
        {
            using var answer = await _gateway.CallAsync(path, _key);
            statuses.Add((int)answer.StatusCode);
        }
        return [.. statuses];
    }
}
