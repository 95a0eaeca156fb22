using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>What Ocelot refuses at start ends the process before it listens, with file, line and property; what Ocelot drops in silence is said.</summary>
public sealed class OcelotValidationTests : IDisposable
{
    private const string Good = """{ "UpstreamPathTemplate": "/good", "DownstreamPathTemplate": "/", "DownstreamHostAndPorts": [ { "Host": "127.0.0.1", "Port": 1 } ] }""";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Every_mistake_of_every_route_is_named_at_once()
    {
        (string Property, string Mistake)[] mistakes =
        [
            ("UpstreamPathTemplate", "\"UpstreamPathTemplate\": \"a\""),
            ("UpstreamPathTemplate", "\"UpstreamPathTemplate\": \"\""),
            ("UpstreamPathTemplate", "\"UpstreamPathTemplate\": \"/a//b\""),
            ("UpstreamPathTemplate", "\"UpstreamPathTemplate\": \"http://host/a\""),
            ("UpstreamPathTemplate", "\"UpstreamPathTemplate\": \"/{a}/{a}\""),
            ("UpstreamPathTemplate", "\"UpstreamPathTemplate\": \"/{a\""),
            ("DownstreamPathTemplate", "\"DownstreamPathTemplate\": \"a\""),
            ("DownstreamPathTemplate", "\"DownstreamPathTemplate\": \"/a//b\""),
            ("DownstreamPathTemplate", "\"DownstreamPathTemplate\": \"https://host/a\""),
            ("DownstreamHostAndPorts", "\"DownstreamHostAndPorts\": []"),
            ("Host", "\"DownstreamHostAndPorts\": [ { \"Host\": \"\", \"Port\": 80 } ]"),
            ("Port", "\"DownstreamHostAndPorts\": [ { \"Host\": \"h\", \"Port\": 70000 } ]"),
            ("DownstreamHttpVersion", "\"DownstreamHttpVersion\": \"4.0\""),
            ("DownstreamHttpVersionPolicy", "\"DownstreamHttpVersionPolicy\": \"Newest\""),
            ("AuthenticationProviderKey", "\"AuthenticationOptions\": { \"AuthenticationProviderKey\": \"Nobody\" }"),
            ("AuthenticationProviderKeys", "\"AuthenticationOptions\": { \"AuthenticationProviderKeys\": [ \"Nobody\" ] }"),
            ("RateLimitOptions.Limit", "\"RateLimitOptions\": { \"Limit\": 0, \"Period\": \"1s\" }"),
            ("RateLimitOptions.Period", "\"RateLimitOptions\": { \"Limit\": 1, \"Period\": \"x\" }"),
            ("ServiceName", "\"ServiceName\": \"orders\""),
            ("QoSOptions.FailureRatio", "\"QoSOptions\": { \"FailureRatio\": 2 }"),
            ("Timeout", "\"Timeout\": \"soon\""),
            ("RequestIdKey", "\"RequestIdKey\": \"X Id\""),
            ("FileCacheOptions.TtlSeconds", "\"FileCacheOptions\": { \"TtlSeconds\": \"long\" }"),
            ("CacheOptions.Header", "\"CacheOptions\": { \"TtlSeconds\": 1, \"Header\": \"a b\" }"),
            ("HttpHandlerOptions.AllowAutoRedirect", "\"HttpHandlerOptions\": { \"AllowAutoRedirect\": \"perhaps\" }"),
        ];
        var routes = mistakes.Select((mistake, i) => Broken(i, mistake.Mistake)).ToArray();
        var config = _folder.Write("ocelot.json", $"{{ \"Routes\": [\n{string.Join(",\n", routes)}\n] }}");

        var output = await RefusedAsync(config);

        for (var i = 0; i < mistakes.Length; i++)
            output.ShouldMatch($@"(?m)^{System.Text.RegularExpressions.Regex.Escape(config)}:{i + 2} Routes\[{i}\].*{System.Text.RegularExpressions.Regex.Escape(mistakes[i].Property)}: ", mistakes[i].Mistake);
    }

    [Theory]
    [InlineData("duplicate", """{ "UpstreamPathTemplate": "/good", "UpstreamHttpMethod": [ "GET" ], "DownstreamPathTemplate": "/", "DownstreamHostAndPorts": [ { "Host": "h", "Port": 1 } ] }""", "Routes[1].UpstreamPathTemplate")]
    [InlineData("not an object", "5", "Routes[1]")]
    public async Task A_route_that_cannot_stand_beside_another_is_refused(string what, string route, string property) =>
        (await RefusedAsync(_folder.Write("ocelot.json", $"{{ \"Routes\": [ {Good},\n{route} ] }}"))).ShouldContain($"ocelot.json:2 {property}: ", customMessage: what);

    [Theory]
    [InlineData("RouteKeys", """{ "UpstreamPathTemplate": "/a", "RouteKeys": [ "nobody" ] }""")]
    [InlineData("RouteKeys", """{ "UpstreamPathTemplate": "/a", "RouteKeys": [] }""")]
    [InlineData("RouteKeys", """{ "UpstreamPathTemplate": "/a", "RouteKeys": [ "traced" ] }""")]
    [InlineData("UpstreamPathTemplate", """{ "UpstreamPathTemplate": "/one", "RouteKeys": [ "one" ] }""")]
    [InlineData("UpstreamPathTemplate", """{ "UpstreamPathTemplate": "x", "RouteKeys": [ "one" ] }""")]
    [InlineData("UpstreamPathTemplate", """{ "UpstreamPathTemplate": "/a", "RouteKeys": [ "one" ] }, { "UpstreamPathTemplate": "/a", "RouteKeys": [ "one" ] }""")]
    [InlineData("RouteKeysConfig[0].JsonPath", """{ "UpstreamPathTemplate": "/a", "RouteKeys": [ "one", "two" ], "RouteKeysConfig": [ { "RouteKey": "two", "JsonPath": "$[", "Parameter": "id" } ] }""")]
    [InlineData("RouteKeysConfig[0].RouteKey", """{ "UpstreamPathTemplate": "/a", "RouteKeys": [ "one", "two" ], "RouteKeysConfig": [ { "RouteKey": "three", "JsonPath": "$.id", "Parameter": "id" } ] }""")]
    public async Task An_aggregate_that_cannot_work_is_refused(string property, string aggregate)
    {
        string Route(string key, string more) => $$"""{ "Key": "{{key}}", "UpstreamPathTemplate": "/{{key}}", "UpstreamHttpMethod": [ "Get" ], "DownstreamPathTemplate": "/", "DownstreamHostAndPorts": [ { "Host": "h", "Port": 1 } ]{{more}} }""";
        var config = _folder.Write("ocelot.json", $$"""
            { "Routes": [ {{Route("one", "")}}, {{Route("two", "")}}, {{Route("traced", ", \"RequestIdKey\": \"X-Id\"")}} ],
              "Aggregates": [ {{aggregate}} ] }
            """);

        (await RefusedAsync(config)).ShouldMatch($@"Aggregates\[\d\]\.{System.Text.RegularExpressions.Regex.Escape(property)}: ");
    }

    [Theory]
    [InlineData("AuthenticationOptions.AuthenticationProviderKeys", "\"AuthenticationOptions\": { \"AuthenticationProviderKeys\": [ \"Nobody\" ] }")]
    [InlineData("ServiceDiscoveryProvider.Type", "\"ServiceDiscoveryProvider\": { \"Type\": \"Telephone\" }")]
    [InlineData("RateLimitOptions.Period", "\"RateLimitOptions\": { \"Limit\": 1 }")]
    [InlineData("Tollgate.Errors", "\"Tollgate\": { \"Errors\": \"loud\" }")]
    public async Task A_global_mistake_is_refused(string property, string mistake) =>
        (await RefusedAsync(_folder.Write("ocelot.json", $"{{ \"Routes\": [ {Good} ], \"GlobalConfiguration\": {{ {mistake} }} }}"))).ShouldContain($"GlobalConfiguration.{property}: ");

    [Theory]
    [InlineData("{ \"Routes\": [\n  { ] }", ":2")]
    [InlineData("", ":1")]
    [InlineData("[]", ":1")]
    [InlineData("{ \"Routes\": { \"one\": 1 } }", "Routes: ")]
    [InlineData("{ \"Routes\": [], \"Routes\": [] }", "Routes: written twice")]
    public async Task What_is_no_configuration_is_refused(string text, string said) => (await RefusedAsync(_folder.Write("ocelot.json", text))).ShouldContain(said);

    [Fact]
    public async Task Comments_trailing_commas_numbers_as_text_and_any_case_are_fine()
    {
        await using var gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", """
            // the routes
            { "routes": [ /* one */ { "UPSTREAMPATHTEMPLATE": "/a", "downstreamPathTemplate": "/", "Unknown": { "x": 1 },
                "DownstreamHostAndPorts": [ { "host": "127.0.0.1", "PORT": "1" }, ], "Priority": "2", "RouteIsCaseSensitive": "true", }, ], }
            """));

        await (await gateway.GetAsync("/a")).ShouldBeProblemAsync(502, "upstream-unreachable");
    }

    private static string Broken(int i, string mistake)
    {
        (string Name, string Text)[] usual =
        [
            ("UpstreamPathTemplate", $"\"UpstreamPathTemplate\": \"/r{i}\""), ("DownstreamPathTemplate", "\"DownstreamPathTemplate\": \"/\""),
            ("DownstreamHostAndPorts", "\"DownstreamHostAndPorts\": [ { \"Host\": \"h\", \"Port\": 1 } ]"),
        ];
        return $"{{ {string.Join(", ", usual.Where(one => !mistake.StartsWith($"\"{one.Name}\"", StringComparison.Ordinal)).Select(one => one.Text).Append(mistake))} }}";
    }

    private static async Task<string> RefusedAsync(string config)
    {
        await using var gateway = GatewayProcess.Launch("--config", config, "--urls", "http://127.0.0.1:0");
        (await gateway.WaitForExitAsync()).ShouldBe(1, gateway.Output);
        gateway.Output.ShouldNotContain("Listening");
        gateway.Output.ShouldNotContain("   at ");
        return gateway.Output;
    }
}
