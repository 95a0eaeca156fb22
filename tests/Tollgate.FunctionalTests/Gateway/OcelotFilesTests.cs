using System.Net;
using Microsoft.AspNetCore.Http;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>Configurations of several files: parts of a folder, and the file of an environment over them.</summary>
public sealed class OcelotFilesTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private StubUpstream _first = null!;
    private StubUpstream _second = null!;

    public async Task InitializeAsync()
    {
        _first = await StubUpstream.StartAsync(http => http.Response.WriteAsync("first"));
        _second = await StubUpstream.StartAsync(http => http.Response.WriteAsync("second"));
    }

    public async Task DisposeAsync()
    {
        await _first.DisposeAsync();
        await _second.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Parts_of_a_folder_are_joined_and_the_global_part_has_the_global_configuration()
    {
        _folder.Write("ocelot.a.json", Routes.File(Routes.Route("/a", "/", _first.Port)));
        _folder.Write("Ocelot.B.JSON", $$"""{ "routes": [ {{Routes.Route("/b", "/", _second.Port)}} ], "GlobalConfiguration": { "RequestIdKey": "X-Not-Mine" } }""");
        _folder.Write("ocelot.global.json", """{ "GlobalConfiguration": { "RequestIdKey": "X-Mine" } }""");
        _folder.Write("ocelot.json", Routes.File(Routes.Route("/old", "/", _first.Port)));
        _folder.Write("other.json", "not even json");
        await using var gateway = await GatewayProcess.StartAsync(_folder.Path);

        (await TextAsync(gateway, "/a")).ShouldBe("first");
        (await TextAsync(gateway, "/b")).ShouldBe("second");
        (await gateway.GetAsync("/old")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        _first.Seen.Last().Headers.Keys.ShouldContain("X-Mine");
        _first.Seen.Last().Headers.Keys.ShouldNotContain("X-Not-Mine");
        await gateway.WaitForLineAsync(line => line.Contains("counts in ocelot.global.json alone"));

        // A part that comes later is taken in, and so is its leaving.
        var late = _folder.Write("ocelot.late.json", Routes.File(Routes.Route("/late", "/", _first.Port)));
        await Deadline.UntilAsync("the late part is in force", async () => (await gateway.GetAsync("/late")).StatusCode == HttpStatusCode.OK);
        _folder.Write("Ocelot.B.JSON", Routes.File(Routes.Route("/b2", "/", _second.Port)));
        await Deadline.UntilAsync("the changed part is in force", async () => (await gateway.GetAsync("/b2")).StatusCode == HttpStatusCode.OK);
        File.Delete(late);
        await Deadline.UntilAsync("the late part is gone", async () => (await gateway.GetAsync("/late")).StatusCode == HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task The_environments_file_lies_over_the_others_and_other_environments_are_left_alone()
    {
        _folder.Write("ocelot.a.json", Routes.File(Routes.Route("/a", "/", _first.Port, "\"Key\": \"a\""), Routes.Route("/b", "/", _first.Port), Routes.Route("/c", "/", _first.Port)));
        _folder.Write("ocelot.global.json", """{ "GlobalConfiguration": { "RequestIdKey": "X-Base", "Timeout": 9 } }""");
        _folder.Write("ocelot.Blue.json", $$"""
            { "Routes": [ { "Key": "a", "DownstreamHostAndPorts": [ { "Host": "127.0.0.1", "Port": {{_second.Port}} } ] },
                          { "UpstreamPathTemplate": "/b", "DownstreamHostAndPorts": [ { "Host": "127.0.0.1", "Port": {{_second.Port}} } ] },
                          {{Routes.Route("/blue", "/", _second.Port)}} ],
              "GlobalConfiguration": { "RequestIdKey": "X-Blue" } }
            """);
        _folder.Write("ocelot.Development.json", Routes.File(Routes.Route("/a", "/", _second.Port)));

        await using var gateway = await GatewayProcess.StartInAsync("Blue", _folder.Path);

        (await TextAsync(gateway, "/a")).ShouldBe("second");
        (await TextAsync(gateway, "/b")).ShouldBe("second");
        (await TextAsync(gateway, "/c")).ShouldBe("first");
        (await TextAsync(gateway, "/blue")).ShouldBe("second");
        _second.Seen.Last().Headers.Keys.ShouldContain("X-Blue");
        await gateway.WaitForLineAsync(line => line.Contains("ocelot.Development.json:1: is for another environment"));
    }

    [Fact]
    public async Task A_single_file_has_its_environment_too_and_entries_without_a_name_meet_by_their_place()
    {
        var config = _folder.Write("ocelot.json", Routes.File(Routes.Route("/a", "/", _first.Port)));
        _folder.Write("ocelot.Production.json", $$"""{ "Routes": [ { "DownstreamHostAndPorts": [ { "Host": "127.0.0.1", "Port": {{_second.Port}} } ] } ] }""");
        await using var gateway = await GatewayProcess.StartInAsync(null, config);

        (await TextAsync(gateway, "/a")).ShouldBe("second");
        File.Delete(_folder.File("ocelot.Production.json"));
        await Deadline.UntilAsync("the file alone is in force", async () => await TextAsync(gateway, "/a") == "first");
    }

    [Fact]
    public async Task A_folder_with_one_old_file_is_that_file()
    {
        var text = Routes.File(Routes.Route("/a", "/", _first.Port));
        var config = _folder.Write("ocelot.json", text);
        await using var gateway = await GatewayProcess.StartAsync(_folder.Path);

        (await TextAsync(gateway, "/a")).ShouldBe("first");
        (await File.ReadAllTextAsync(config)).ShouldBe(text);
    }

    [Fact]
    public async Task Refusals_have_Ocelots_codes_where_the_file_wants_them()
    {
        await using var slow = await StubUpstream.StartAsync(http => Task.Delay(Timeout.Infinite, http.RequestAborted));
        await using var gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", $$"""
            { "Routes": [ {{Routes.Route("/slow", "/", slow.Port, "\"QoSOptions\": { \"TimeoutValue\": 100 }")}}, {{Routes.Route("/dead", "/", FreePort.Next())}} ],
              "GlobalConfiguration": { "Tollgate": { "Errors": "ocelot" } } }
            """));

        await (await gateway.GetAsync("/slow")).ShouldBeProblemAsync(503, "upstream-timeout");
        await (await gateway.GetAsync("/dead")).ShouldBeProblemAsync(502, "upstream-unreachable");
        await (await gateway.GetAsync("/nowhere")).ShouldBeProblemAsync(404, "unknown-route");
        using var socket = new System.Net.WebSockets.ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        await Should.ThrowAsync<System.Net.WebSockets.WebSocketException>(() => socket.ConnectAsync(new Uri($"ws://{gateway.Address.Authority}/dead"), default));
        socket.HttpStatusCode.ShouldBe(HttpStatusCode.InternalServerError);
    }

    [Fact]
    public async Task Names_of_long_ago_are_not_read_and_are_said()
    {
        await using var gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", $$"""{ "ReRoutes": [ {{Routes.Route("/old", "/", _first.Port)}} ], "Routes": [ {{Routes.Route("/new", "/", _first.Port)}} ] }"""));

        (await gateway.GetAsync("/old")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await TextAsync(gateway, "/new")).ShouldBe("first");
        await gateway.WaitForLineAsync(line => line.Contains("ReRoutes: is a name of Ocelot before 16"));
    }

    [Fact]
    public async Task What_the_whole_file_says_is_for_routes_without_their_own()
    {
        await using var slow = await StubUpstream.StartAsync(async http =>
        {
            await Task.Delay(http.Request.Path == "/never" ? Timeout.Infinite : 1300, http.RequestAborted);
            await http.Response.WriteAsync(http.Request.Headers["X-Base"].ToString());
        });
        await using var gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", $$"""
            { "BaseUrl": "https://root.example",
              "Routes": [ {{Routes.Route("/usual", "/never", slow.Port)}}, {{Routes.Route("/patient", "/", slow.Port, "\"Timeout\": 60, \"RequestIdKey\": \"X-Own\"")}}, {{Routes.Route("/quick", "/", _first.Port)}} ],
              "GlobalConfiguration": { "Timeout": 1, "RequestIdKey": "X-Shared", "UpstreamHeaderTransform": { "X-Base": "{BaseUrl}" } } }
            """));

        await (await gateway.GetAsync("/usual")).ShouldBeProblemAsync(504, "upstream-timeout");
        (await TextAsync(gateway, "/patient")).ShouldBe("https://root.example");
        slow.Seen.Last().Headers.Keys.ShouldContain("X-Own");
        slow.Seen.Last().Headers.Keys.ShouldNotContain("X-Shared");
        await gateway.GetAsync("/quick", ("X-Shared", "shared-1"));
        _first.Seen.Last().Headers["X-Shared"].ShouldBe("shared-1");

        _folder.Write("ocelot.json", $$"""{ "Routes": [ {{Routes.Route("/quick", "/", _first.Port, "\"UpstreamHeaderTransform\": { \"X-Base\": \"{BaseUrl}\" }")}} ] }""");
        await gateway.WaitForLineAsync(line => line.Contains("Configuration 2 is in force"));
        await gateway.GetAsync("/quick");
        _first.Seen.Last().Headers["X-Base"].ShouldBe("http://localhost:5000", "what Ocelot says where nothing is written");
    }

    private static async Task<string> TextAsync(GatewayProcess gateway, string target) => await (await gateway.GetAsync(target)).Content.ReadAsStringAsync();
}
