using Tollgate.Gateway.Balancing;
using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Gateway.Ocelot;
using Tollgate.Gateway.Plugins;
using Tollgate.Gateway.Policy.Routing;
using Tollgate.Testing;

namespace Tollgate.UnitTests.Gateway;

public sealed class RouteCompilerTests : IDisposable
{
    private const string Providers = """
        "Tollgate": { "Authentication": { "Providers": { "A": { "HS256Secret": "a secret of at least thirty-two bytes" }, "B": { "HS256Secret": "b secret of at least thirty-two bytes" } } } }
        """;

    private readonly TempFolder _folder = new();
    private readonly RouteCompiler _compiler = new(TimeProvider.System, NullLoggerFactory.Instance, new PluginSet());

    public void Dispose()
    {
        _compiler.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Upstreams_and_providers_that_stay_as_they_were_outlive_a_reload()
    {
        var before = Compile(Route("/a", "\"Key\": \"a\", \"AuthenticationOptions\": { \"AuthenticationProviderKey\": \"A\" }"), Route("/b", "\"Key\": \"b\""));

        var after = Compile(Route("/a", "\"Key\": \"a\", \"Timeout\": 3, \"AuthenticationOptions\": { \"AuthenticationProviderKey\": \"A\" }"), Route("/b", "\"Key\": \"b\"", "other"));

        after["a"].Upstream.ShouldBeSameAs(before["a"].Upstream);
        after["a"].Providers.ShouldBe(before["a"].Providers);
        after["a"].TimeoutMs.ShouldBe(3000);
        after["b"].Upstream.ShouldNotBeSameAs(before["b"].Upstream);
    }

    [Fact]
    public void Turns_are_strict_also_under_parallel_calls()
    {
        var upstream = new Upstream([new("a", 1, "http"), new("b", 1, "http"), new("c", 1, "http")]);
        var counts = new int[3];

        Parallel.For(0, 3000, _ => Interlocked.Increment(ref counts[upstream.Next()!.Index]));

        counts.ShouldBe([1000, 1000, 1000]);
    }

    [Fact]
    public void A_global_provider_is_for_the_routes_that_it_names_and_can_be_switched_off()
    {
        var routes = CompileWith(
            """, "GlobalConfiguration": { "AuthenticationOptions": { "AuthenticationProviderKeys": [ "B" ], "AllowedScopes": [ "s" ], "RouteKeys": [ "a", "b" ] } }""",
            Route("/a", "\"Key\": \"a\""),
            Route("/b", "\"Key\": \"b\", \"AuthenticationOptions\": { \"AllowAnonymous\": true }"),
            Route("/c", "\"Key\": \"c\""),
            Route("/d", "\"Key\": \"d\", \"Tollgate\": { \"Product\": \"p\" }"));

        routes["a"].DemandsToken.ShouldBeTrue();
        routes["a"].AllowedScopes.ShouldBe(["s"]);
        routes["a"].Providers.ShouldHaveSingleItem().Name.ShouldBe("B");
        routes["b"].DemandsToken.ShouldBeFalse();
        routes["c"].DemandsToken.ShouldBeFalse();
        routes["d"].Providers.Select(provider => provider.Name).ShouldBe(["A", "B"], "a product takes the tokens of every provider");
    }

    [Fact]
    public void A_host_without_a_port_is_called_on_its_schemes_own()
    {
        var destination = Compile(Route("/a", "\"Key\": \"a\", \"DownstreamScheme\": \"wss\""))["a"].Upstream.Destinations.ShouldHaveSingleItem();

        destination.OverHttp.ShouldBe("https://h");
        destination.OverHttps.ShouldBe("https://h");
    }

    private Dictionary<string, Route> Compile(params string[] routes) => CompileWith("", routes);

    private Dictionary<string, Route> CompileWith(string more, params string[] routes)
    {
        var path = _folder.Write("ocelot.json", $$"""{ "Routes": [ {{string.Join(", ", routes)}} ], {{Providers}} {{more}} }""");
        return _compiler.Compile(OcelotReader.Read(path), []).Routes.ToDictionary(route => route.Name);
    }

    private static string Route(string upstream, string more, string host = "h") =>
        $$"""{ "UpstreamPathTemplate": "{{upstream}}", "DownstreamPathTemplate": "/", "DownstreamHostAndPorts": [ { "Host": "{{host}}" } ], {{more}} }""";
}
