using System.Net;
using System.Reflection;
using System.Reflection.Emit;
using Microsoft.AspNetCore.Http;
using Tollgate.Contracts.Plugins;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>Code of one's own, by the names in the file.</summary>
public sealed class PluginTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private StubUpstream _first = null!;
    private StubUpstream _second = null!;

    public async Task InitializeAsync()
    {
        _first = await StubUpstream.StartAsync(http => http.Response.WriteAsync("first"));
        _second = await StubUpstream.StartAsync(http => http.Response.WriteAsync("the second"));
    }

    public async Task DisposeAsync()
    {
        await _first.DisposeAsync();
        await _second.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Handlers_aggregators_and_balancers_take_part_by_their_names()
    {
        var config = Write("""
            "GlobalConfiguration": { "Metadata": { "stamp": "global", "other": "x" } },
            "Aggregates": [ { "UpstreamPathTemplate": "/longest", "RouteKeys": [ "a", "b" ], "Aggregator": "LongestAnswer" } ]
            """);
        await using var gateway = await GatewayProcess.StartAsync(config, "--plugins", Programs.SamplePlugin);

        var stamped = await gateway.GetAsync("/a");
        (await stamped.Content.ReadAsStringAsync()).ShouldBe("first");
        stamped.Headers.GetValues("X-Stamped-By").Single().ShouldBe("a");
        _first.Seen.Last().Headers["X-Stamp"].ShouldBe("mine");
        _first.Seen.Last().Headers["X-Sample-Global"].ShouldBe("yes");
        ((int)(await gateway.GetAsync("/teapot")).StatusCode).ShouldBe(418);

        await gateway.GetAsync("/b");
        _second.Seen.Last().Headers["X-Sample-Global"].ShouldBe("yes");
        _second.Seen.Last().Headers.Keys.ShouldNotContain("X-Stamp");

        var longest = await gateway.GetAsync("/longest");
        (await longest.Content.ReadAsStringAsync()).ShouldBe("""{"longest":"b","text":"the second"}""");
        longest.Headers.GetValues("X-Parts").Single().ShouldBe("2");

        foreach (var (shard, text) in new[] { ("0", "first"), ("1", "the second"), ("1", "the second"), ("0", "first") })
            (await (await gateway.GetAsync("/shard", ("X-Shard", shard))).Content.ReadAsStringAsync()).ShouldBe(text);
    }

    [Fact]
    public async Task Names_that_no_plugin_has_are_said_in_the_log()
    {
        await using var gateway = await GatewayProcess.StartAsync(Write("\"GlobalConfiguration\": {}"));

        (await gateway.GetAsync("/a")).StatusCode.ShouldBe(HttpStatusCode.OK);
        gateway.Output.ShouldContain("no plug-in has the handler \"StampHandler\"");
        gateway.Output.ShouldContain("\"ByShard\" is no balancer");
    }

    [Fact]
    public async Task A_plugin_that_reaches_a_database_stops_the_start()
    {
        MakeRefused(_folder.File("Refused.dll"));
        await using var gateway = GatewayProcess.Launch("--config", Write("\"GlobalConfiguration\": {}"), "--urls", "http://127.0.0.1:0", "--plugins", _folder.Path);

        (await gateway.WaitForExitAsync()).ShouldBe(1);
        gateway.Output.ShouldContain("is refused: it uses System.Data.Common");
        gateway.Output.ShouldNotContain("Listening");
    }

    private string Write(string more) => _folder.Write("ocelot.json", $$"""
        { "Routes": [ {{string.Join(",\n",
            Routes.Route("/a", "/", _first.Port, "\"Key\": \"a\", \"DelegatingHandlers\": [ \"StampHandler\" ], \"Metadata\": { \"stamp\": \"mine\" }"),
            Routes.Route("/b", "/", _second.Port, "\"Key\": \"b\""),
            Routes.Route("/teapot", "/", _second.Port, "\"DelegatingHandlers\": [ \"TeapotHandler\" ]"),
            Routes.Route("/shard", "/", [_first.Port, _second.Port], "\"LoadBalancerOptions\": { \"Type\": \"ByShard\" }"))}} ],
          {{more}} }
        """);

    private static void MakeRefused(string file)
    {
        var assembly = new PersistedAssemblyBuilder(new AssemblyName("Refused"), typeof(object).Assembly);
        var type = assembly.DefineDynamicModule("Refused").DefineType("Refused.Plugin", TypeAttributes.Public, typeof(object), [typeof(ITollgatePlugin)]);
        type.DefineField("_connection", typeof(System.Data.Common.DbConnection), FieldAttributes.Private);
        var method = type.DefineMethod("Register", MethodAttributes.Public | MethodAttributes.Virtual, typeof(void), [typeof(IPluginRegistry)]);
        method.GetILGenerator().Emit(OpCodes.Ret);
        type.CreateType();
        assembly.Save(file);
    }
}
