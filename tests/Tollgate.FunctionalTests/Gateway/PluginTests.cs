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
        await using var gateway = await GatewayProcess.StartAsync(config, "--plugins", Programs.SamplePlugin, "--Gateway:PluginBudgetMs", "60000");

        var stamped = await gateway.GetAsync("/a");
        (await stamped.Content.ReadAsStringAsync()).ShouldBe("first");
        stamped.Headers.GetValues("X-Stamped-By").Single().ShouldBe("a");
        _first.Seen.Last().Headers["X-Stamp"].ShouldBe("mine");
        _first.Seen.Last().Headers["X-Sample-Global"].ShouldBe("yes");
        ((int)(await gateway.GetAsync("/teapot")).StatusCode).ShouldBe(418);
        foreach (var (route, reached) in new[] { ("/order1", true), ("/order2", false) })
        {
            var answered = await gateway.GetAsync(route);
            ((int)answered.StatusCode).ShouldBe(418);
            answered.Headers.Contains("X-Stamped-By").ShouldBe(reached, "handlers have the call in the order of the file");
        }

        await gateway.GetAsync("/b");
        _second.Seen.Last().Headers["X-Sample-Global"].ShouldBe("yes");
        _second.Seen.Last().Headers.Keys.ShouldNotContain("X-Stamp");

        var longest = await gateway.GetAsync("/longest");
        (await longest.Content.ReadAsStringAsync()).ShouldBe("""{"longest":"b","text":"the second"}""");
        longest.Headers.GetValues("X-Parts").Single().ShouldBe("2");

        foreach (var (shard, text) in new[] { ("0", "first"), ("1", "the second"), ("1", "the second"), ("0", "first") })
            (await (await gateway.GetAsync("/shard", ("X-Shard", shard))).Content.ReadAsStringAsync()).ShouldBe(text);
    }

    [Theory]
    [InlineData("\"Metadata\": { \"stamp\": \"global\" }", "global")]
    [InlineData("\"MetadataOptions\": { \"Metadata\": { \"stamp\": \"before\" } }", "before")]
    [InlineData("\"Metadata\": { \"stamp\": \"global\" }, \"MetadataOptions\": { \"Separators\": [ \";\" ], \"Metadata\": { \"stamp\": \"before\" } }", "global")]
    public async Task A_route_without_metadata_has_that_of_the_whole_file(string global, string stamp)
    {
        await using var gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json",
            $$"""{ "Routes": [ {{Routes.Route("/plain", "/", _first.Port, "\"DelegatingHandlers\": [ \"StampHandler\" ]")}} ], "GlobalConfiguration": { {{global}} } }"""), "--plugins", Programs.SamplePlugin, "--Gateway:PluginBudgetMs", "60000");

        await gateway.GetAsync("/plain");
        _first.Seen.Last().Headers["X-Stamp"].ShouldBe(stamp);
    }

    [Fact]
    public async Task Names_that_no_plugin_has_are_said_in_the_log()
    {
        await using var gateway = await GatewayProcess.StartAsync(Write("\"GlobalConfiguration\": {}"));

        (await gateway.GetAsync("/a")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await gateway.WaitForLineAsync(line => line.Contains("no plug-in has the handler \"StampHandler\""));
        await gateway.WaitForLineAsync(line => line.Contains("\"ByShard\" is no balancer"));
    }

    [Theory]
    [InlineData(typeof(System.Data.Common.DbConnection), "it uses System.Data.Common")]
    [InlineData(typeof(HttpClient), "it uses System.Net.Http.HttpClient")]
    [InlineData(typeof(System.Net.Sockets.Socket), "it uses System.Net.Sockets.Socket")]
    public async Task A_plugin_that_reaches_a_database_or_another_machine_stops_the_start(Type used, string why)
    {
        MakePlugin(_folder.File("Refused.dll"), "x", holds: used);
        await using var gateway = GatewayProcess.Launch("--config", Write("\"GlobalConfiguration\": {}"), "--urls", "http://127.0.0.1:0", "--plugins", _folder.Path);

        (await gateway.WaitForExitAsync()).ShouldBe(1);
        gateway.Output.ShouldContain("is refused");
        gateway.Output.ShouldContain(why);
        gateway.Output.ShouldNotContain("Listening");
    }

    [Fact]
    public async Task A_file_that_is_no_library_stops_the_start_with_its_name()
    {
        _folder.Write("junk.dll", "no library at all");
        await using var gateway = GatewayProcess.Launch("--config", Write("\"GlobalConfiguration\": {}"), "--urls", "http://127.0.0.1:0", "--plugins", _folder.Path);

        (await gateway.WaitForExitAsync()).ShouldBe(1);
        gateway.Output.ShouldContain("junk.dll of the plug-in folder cannot be read");
        gateway.Output.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task A_plugin_that_takes_too_long_is_cut_off_and_named_and_its_service_is_not_blamed()
    {
        MakePlugin(_folder.File("Slow.dll"), "x", sleepMs: 600_000);
        var config = _folder.Write("ocelot.json", Routes.File(Routes.Route("/slow", "/", _first.Port, "\"DelegatingHandlers\": [ \"MadeHandler\" ]"), Routes.Route("/plain", "/", _first.Port)));
        await using var gateway = await GatewayProcess.StartAsync(config, "--plugins", _folder.Path, "--Gateway:PluginBudgetMs", "100", "--internal", "http://127.0.0.1:0");

        await (await gateway.GetAsync("/slow")).ShouldBeProblemAsync(502, "upstream-unreachable");    // long before it ends by itself
        (await gateway.GetAsync("/plain")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await gateway.WaitForLineAsync(line => line.Contains("The plug-in MadeHandler took longer than 100 ms and was cut off"));
        using var http = new HttpClient { BaseAddress = await gateway.InternalAddressAsync() };
        (await http.GetStringAsync("/destinations")).ShouldContain("\"state\":\"healthy\"");
    }

    [Fact]
    public async Task A_service_that_takes_long_costs_a_plugin_nothing()
    {
        await using var slow = await StubUpstream.StartAsync(async http =>
        {
            await Task.Delay(6000);    // longer than the budget
            await http.Response.WriteAsync("late");
        });
        MakePlugin(_folder.File("Quick.dll"), "1");
        var config = _folder.Write("ocelot.json", Routes.File(Routes.Route("/late", "/", slow.Port, "\"DelegatingHandlers\": [ \"MadeHandler\" ]")));
        await using var gateway = await GatewayProcess.StartAsync(config, "--plugins", _folder.Path, "--Gateway:PluginBudgetMs", "5000");

        (await (await gateway.GetAsync("/late")).Content.ReadAsStringAsync()).ShouldBe("late");
    }

    [Fact]
    public async Task A_changed_folder_is_taken_in_under_load_and_a_bad_one_is_not()
    {
        var plugins = Directory.CreateDirectory(_folder.File("plugins")).FullName;
        MakePlugin(Path.Combine(plugins, "Made.dll"), "1");
        var config = _folder.Write("ocelot.json", Routes.File(Routes.Route("/made", "/", _first.Port, "\"DelegatingHandlers\": [ \"MadeHandler\" ]")));
        await using var gateway = await GatewayProcess.StartAsync(config, "--plugins", plugins, "--Gateway:PluginBudgetMs", "60000");    // how long one may take is not what this is about
        using var stop = new CancellationTokenSource();
        var failures = new System.Collections.Concurrent.ConcurrentQueue<string>();
        var callers = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                using var answer = await gateway.GetAsync("/made");
                if (answer.StatusCode != HttpStatusCode.OK) failures.Enqueue($"{answer.StatusCode}");
            }
        })).ToArray();

        foreach (var version in new[] { "2", "3", "4" })
        {
            MakePlugin(_folder.File("next.dll"), version);
            File.Copy(_folder.File("next.dll"), Path.Combine(plugins, "Made.dll"), overwrite: true);
            await Deadline.UntilAsync($"version {version} serves", async () =>
            {
                await gateway.GetAsync("/made");
                return _first.Seen.Last().Headers.TryGetValue("X-Made", out var made) && made == version;
            });
        }

        MakePlugin(Path.Combine(plugins, "Refused.dll"), "x", holds: typeof(HttpClient));
        await gateway.WaitForLineAsync(line => line.Contains("those before stay in force"));
        await stop.CancelAsync();
        await Task.WhenAll(callers);
        await gateway.GetAsync("/made");
        _first.Seen.Last().Headers["X-Made"].ShouldBe("4");
        failures.ShouldBeEmpty();
    }

    private string Write(string more) => _folder.Write("ocelot.json", $$"""
        { "Routes": [ {{string.Join(",\n",
            Routes.Route("/a", "/", _first.Port, "\"Key\": \"a\", \"DelegatingHandlers\": [ \"StampHandler\" ], \"Metadata\": { \"stamp\": \"mine\" }"),
            Routes.Route("/b", "/", _second.Port, "\"Key\": \"b\""),
            Routes.Route("/teapot", "/", _second.Port, "\"DelegatingHandlers\": [ \"TeapotHandler\" ]"),
            Routes.Route("/order1", "/", _second.Port, "\"DelegatingHandlers\": [ \"StampHandler\", \"TeapotHandler\" ]"),
            Routes.Route("/order2", "/", _second.Port, "\"DelegatingHandlers\": [ \"TeapotHandler\", \"StampHandler\" ]"),
            Routes.Route("/shard", "/", [_first.Port, _second.Port], "\"LoadBalancerOptions\": { \"Type\": \"ByShard\" }"))}} ],
          {{more}} }
        """);

    /// <summary>An assembly with a handler that marks what it sends on.</summary>
    private static void MakePlugin(string file, string version, int sleepMs = 0, Type? holds = null)
    {
        var assembly = new PersistedAssemblyBuilder(new AssemblyName("Made"), typeof(object).Assembly);
        var module = assembly.DefineDynamicModule("Made");
        var handler = module.DefineType("Made.MadeHandler", TypeAttributes.Public, typeof(DelegatingHandler));
        handler.DefineDefaultConstructor(MethodAttributes.Public);
        if (holds is not null) handler.DefineField("_held", holds, FieldAttributes.Private);
        var send = handler.DefineMethod("SendAsync", MethodAttributes.Family | MethodAttributes.Virtual | MethodAttributes.HideBySig, typeof(Task<HttpResponseMessage>), [typeof(HttpRequestMessage), typeof(CancellationToken)]);
        var code = send.GetILGenerator();
        code.Emit(OpCodes.Ldc_I4, sleepMs);
        code.Emit(OpCodes.Call, typeof(Thread).GetMethod("Sleep", [typeof(int)])!);
        code.Emit(OpCodes.Ldarg_1);
        code.Emit(OpCodes.Callvirt, typeof(HttpRequestMessage).GetProperty("Headers")!.GetMethod!);
        code.Emit(OpCodes.Ldstr, "X-Made");
        code.Emit(OpCodes.Ldstr, version);
        code.Emit(OpCodes.Callvirt, typeof(System.Net.Http.Headers.HttpHeaders).GetMethod("TryAddWithoutValidation", [typeof(string), typeof(string)])!);
        code.Emit(OpCodes.Pop);
        code.Emit(OpCodes.Ldarg_0);
        code.Emit(OpCodes.Ldarg_1);
        code.Emit(OpCodes.Ldarg_2);
        code.Emit(OpCodes.Call, typeof(DelegatingHandler).GetMethod("SendAsync", BindingFlags.Instance | BindingFlags.NonPublic, [typeof(HttpRequestMessage), typeof(CancellationToken)])!);
        code.Emit(OpCodes.Ret);
        var made = handler.CreateType();

        var plugin = module.DefineType("Made.Plugin", TypeAttributes.Public, typeof(object), [typeof(ITollgatePlugin)]);
        var register = plugin.DefineMethod("Register", MethodAttributes.Public | MethodAttributes.Virtual, typeof(void), [typeof(IPluginRegistry)]).GetILGenerator();
        register.Emit(OpCodes.Ldarg_1);
        register.Emit(OpCodes.Callvirt, typeof(IPluginRegistry).GetMethods().Single(method => method.Name == "AddDelegatingHandler" && method.IsGenericMethod).MakeGenericMethod(made));
        register.Emit(OpCodes.Ret);
        plugin.CreateType();
        assembly.Save(file);
    }
}
