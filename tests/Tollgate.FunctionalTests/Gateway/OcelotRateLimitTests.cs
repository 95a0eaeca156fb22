using System.Globalization;
using System.Net;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>Rate limits that an <c>ocelot.json</c> writes itself, without plans or keys.</summary>
public sealed class OcelotRateLimitTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private StubUpstream _upstream = null!;
    private GatewayProcess _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await StubUpstream.StartAsync();
        _gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", File(
            Route("/new/{rest}", Rule("\"Limit\": 2, \"Period\": \"1h\", \"ClientWhitelist\": [ \"free\" ]")),
            Route("/old", Rule("\"EnableRateLimiting\": true, \"Limit\": \"1\", \"Period\": \"1d\", \"PeriodTimespan\": 7, \"ClientIdHeader\": \"X-Client\", \"HttpStatusCode\": 418, \"QuotaExceededMessage\": \"{0} in {1}\"")),
            Route("/silent", Rule("\"Limit\": 1, \"Period\": \"1h\", \"DisableRateLimitHeaders\": true")),
            Route("/mute", Rule("\"Limit\": 1, \"Period\": \"1h\", \"EnableHeaders\": false")),
            Route("/loud", Rule("\"Limit\": 1, \"Period\": \"1h\", \"EnableHeaders\": false, \"DisableRateLimitHeaders\": false, \"KeyPrefix\": \"mine\"")),
            Route("/both", Rule("\"Limit\": 1, \"Period\": \"1h\", \"StatusCode\": 418, \"HttpStatusCode\": 999, \"QuotaMessage\": \"new\", \"QuotaExceededMessage\": \"old\", \"Wait\": \"2h\", \"PeriodTimespan\": 9")),
            Route("/waitless", Rule("\"Limit\": 1, \"Period\": \"1h\", \"Wait\": \"300ms\"")),
            Route("/waiting", Rule("\"Limit\": 1, \"Period\": \"100ms\", \"Wait\": \"1h\"")),
            Route("/many/{rest}", Rule("\"Limit\": 7, \"Period\": \"1h\"")),
            Route("/off", Rule("\"EnableRateLimiting\": false, \"Limit\": 1, \"Period\": \"1h\"")),
            Route("/short", Rule("\"Limit\": 1, \"Period\": \"0.3s\"")),
            Route("/member", Tokens.Demanded + ", " + Rule("\"Limit\": 1, \"Period\": \"1h\"")),
            Route("/plain", ""))));
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_client_gets_its_calls_and_is_told_where_it_stands()
    {
        var before = DateTimeOffset.UtcNow;
        var first = await CallAsync("/new/a", "c");
        first.StatusCode.ShouldBe(HttpStatusCode.OK);
        first.Headers.GetValues("X-RateLimit-Limit").ShouldBe(["2"]);
        first.Headers.GetValues("X-RateLimit-Remaining").ShouldBe(["1"]);
        DateTimeOffset.Parse(first.Headers.GetValues("X-RateLimit-Reset").Single(), CultureInfo.InvariantCulture).ShouldBeGreaterThan(before.AddMinutes(59));
        (await CallAsync("/new/b", "c")).Headers.GetValues("X-RateLimit-Remaining").ShouldBe(["0"], "all paths of a template count together");

        var refused = await CallAsync("/new/a", "c");

        refused.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        (await refused.Content.ReadAsStringAsync()).ShouldBe("API calls quota exceeded! Maximum admitted 2 per 1h.");
        refused.Content.Headers.ContentType!.MediaType.ShouldBe("text/plain");
        refused.Headers.RetryAfter!.Delta!.Value.ShouldBeInRange(TimeSpan.FromMinutes(50), TimeSpan.FromHours(1));
        refused.Headers.Contains("X-RateLimit-Limit").ShouldBeFalse();
        refused.Headers.Contains("X-Request-Id").ShouldBeTrue();
        (await CallAsync("/new/a", "another")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _gateway.GetAsync("/plain")).Headers.Contains("X-RateLimit-Limit").ShouldBeFalse();
    }

    [Fact]
    public async Task The_old_names_are_understood()
    {
        (await _gateway.GetAsync("/old", ("X-Client", "c"))).StatusCode.ShouldBe(HttpStatusCode.OK);

        var refused = await _gateway.GetAsync("/old", ("X-Client", "c"));

        ((int)refused.StatusCode).ShouldBe(418);
        (await refused.Content.ReadAsStringAsync()).ShouldBe("1 in 1d");
        refused.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(7));
    }

    [Fact]
    public async Task Who_is_on_the_list_has_no_limit_and_who_does_not_say_its_name_no_call()
    {
        for (var i = 0; i < 4; i++)
        {
            var free = await CallAsync("/new/a", "free");
            free.StatusCode.ShouldBe(HttpStatusCode.OK);
            free.Headers.Contains("X-RateLimit-Limit").ShouldBeFalse();
        }

        var nobody = await _gateway.GetAsync("/new/a");
        nobody.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await nobody.Content.ReadAsStringAsync()).ShouldContain("Oc-Client");
        nobody.Headers.RetryAfter.ShouldBeNull();
    }

    [Fact]
    public async Task A_rule_may_be_silent_or_switched_off_and_ends_with_its_period()
    {
        (await CallAsync("/silent", "c")).Headers.Contains("X-RateLimit-Limit").ShouldBeFalse();
        (await CallAsync("/silent", "c")).Headers.RetryAfter.ShouldBeNull();
        for (var i = 0; i < 3; i++) (await _gateway.GetAsync("/off")).StatusCode.ShouldBe(HttpStatusCode.OK);

        (await CallAsync("/short", "c")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await Deadline.UntilAsync("the period is over", async () => (await CallAsync("/short", "c")).StatusCode == HttpStatusCode.OK);
    }

    [Fact]
    public async Task An_old_name_counts_before_its_new_one_and_any_status_may_be_written()
    {
        (await CallAsync("/mute", "c")).Headers.Contains("X-RateLimit-Limit").ShouldBeFalse();
        (await CallAsync("/loud", "c")).Headers.Contains("X-RateLimit-Limit").ShouldBeTrue();

        await CallAsync("/both", "c");
        var refused = await CallAsync("/both", "c");
        ((int)refused.StatusCode).ShouldBe(999);
        (await refused.Content.ReadAsStringAsync()).ShouldBe("old");
        refused.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(9));
    }

    [Fact]
    public async Task The_time_without_service_begins_with_the_first_refused_call_and_may_be_shorter_or_longer_than_the_period()
    {
        foreach (var route in new[] { "/waitless", "/waiting" })
        {
            (await CallAsync(route, "c")).StatusCode.ShouldBe(HttpStatusCode.OK);
            await Deadline.UntilAsync("a call is refused", async () => (await CallAsync(route, route == "/waiting" ? "eager" : "c")).StatusCode == HttpStatusCode.TooManyRequests);
        }

        await Deadline.UntilAsync("the short wait is over, long before the period", async () => (await CallAsync("/waitless", "c")).StatusCode == HttpStatusCode.OK);
        (await CallAsync("/waiting", "eager")).Headers.RetryAfter!.Delta!.Value.ShouldBeGreaterThan(TimeSpan.FromMinutes(50), "its period was over long ago");
    }

    [Fact]
    public async Task Calls_at_the_same_time_are_counted_exactly_and_every_route_for_itself()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => CallAsync($"/many/{i}", "crowd")));
        answers.Count(answer => answer.StatusCode == HttpStatusCode.OK).ShouldBe(7);
        (await CallAsync("/new/a", "crowd")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task It_counts_before_anybody_is_asked_who_they_are()
    {
        await (await CallAsync("/member", "c")).ShouldBeProblemAsync(401, "missing-credentials");

        (await _gateway.GetAsync("/member", ("Oc-Client", "c"), Tokens.Bearer(new { sub = "x" }))).StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
    }

    [Fact]
    public async Task Counters_outlive_a_reload_that_leaves_the_rule_as_it_was()
    {
        for (var i = 0; i < 2; i++) await CallAsync("/new/a", "stays");

        _folder.Write("ocelot.json", File(Route("/new/{rest}", Rule("\"Limit\": 2, \"Period\": \"1h\", \"ClientWhitelist\": [ \"free\" ]"), "/changed")));
        await _gateway.WaitForLineAsync(line => line.Contains("Configuration 2 is in force"));

        (await CallAsync("/new/a", "stays")).StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
    }

    [Fact]
    public async Task A_global_rule_is_for_the_routes_that_it_names_and_without_a_limit_only_defaults()
    {
        using var folder = new TempFolder();
        await using var gateway = await GatewayProcess.StartAsync(folder.Write("ocelot.json", File(
            """ "GlobalConfiguration": { "RateLimitOptions": { "Limit": 1, "Period": "1h", "StatusCode": 420, "RouteKeys": [ "a", "own" ] } }""",
            Route("/a", "\"Key\": \"a\""), Route("/b", "\"Key\": \"b\""), Route("/own", "\"Key\": \"own\", " + Rule("\"Limit\": 2")))));
        foreach (var (route, admitted) in new[] { ("/a", 1), ("/own", 2) })
        {
            for (var i = 0; i < admitted; i++) (await gateway.GetAsync(route, ("Oc-Client", "c"))).StatusCode.ShouldBe(HttpStatusCode.OK);
            ((int)(await gateway.GetAsync(route, ("Oc-Client", "c"))).StatusCode).ShouldBe(420, route);
        }

        (await gateway.GetAsync("/b")).StatusCode.ShouldBe(HttpStatusCode.OK);

        folder.Write("ocelot.json", File(
            """ "GlobalConfiguration": { "RateLimitOptions": { "QuotaExceededMessage": "global", "HttpStatusCode": 430, "ClientIdHeader": "X-Client" } }""",
            Route("/a", ""), Route("/own", Rule("\"Limit\": 1, \"Period\": \"1h\""))));
        await gateway.WaitForLineAsync(line => line.Contains("Configuration 2 is in force"));

        (await gateway.GetAsync("/a")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await gateway.GetAsync("/own", ("X-Client", "c"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        var refused = await gateway.GetAsync("/own", ("X-Client", "c"));
        ((int)refused.StatusCode).ShouldBe(430);
        (await refused.Content.ReadAsStringAsync()).ShouldBe("global");
    }

    [Theory]
    [InlineData("\"Period\": \"1h\"", "Limit")]
    [InlineData("\"Limit\": 0, \"Period\": \"1h\"", "Limit")]
    [InlineData("\"Limit\": 1", "Period")]
    [InlineData("\"Limit\": 1, \"Period\": \"soon\"", "Period")]
    [InlineData("\"Limit\": 1, \"Period\": \"1s\", \"Wait\": \"5\"", "Wait")]
    public async Task A_rule_that_cannot_be_kept_stops_the_start(string rule, string property)
    {
        await using var gateway = GatewayProcess.Launch("--config", _folder.Write("bad.json", File(Route("/a", Rule(rule)))), "--urls", "http://127.0.0.1:0");

        (await gateway.WaitForExitAsync()).ShouldBe(1);

        gateway.Output.ShouldContain($"Routes[0].RateLimitOptions.{property}: ");
    }

    private Task<HttpResponseMessage> CallAsync(string target, string client) => _gateway.GetAsync(target, ("Oc-Client", client));

    private static string Rule(string members) => $"\"RateLimitOptions\": {{ {members} }}";

    private static string File(params string[] routes) =>
        routes[0].StartsWith(" \"Global", StringComparison.Ordinal)
            ? $$"""{ "Routes": [ {{string.Join(",\n", routes[1..])}} ], {{Tokens.Provider}}, {{routes[0]}} }"""
            : $$"""{ "Routes": [ {{string.Join(",\n", routes)}} ], {{Tokens.Provider}} }""";

    private string Route(string upstream, string more, string downstream = "/") => Routes.Route(upstream, downstream, _upstream.Port, more);
}
