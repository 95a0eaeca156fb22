using System.Net;
using Microsoft.AspNetCore.Http;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

public sealed class ConfigurationTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_configuration_that_cannot_be_used_ends_the_process_before_it_listens()
    {
        var config = _folder.Write("ocelot.json", "{ \"Routes\": [\n  { \"UpstreamPathTemplate\": \"a\", \"DownstreamPathTemplate\": \"/\" }\n] }");
        var temporary = Directory.CreateDirectory(_folder.File("tmp")).FullName;
        await using var gateway = ChildProcess.StartDotnet(Programs.Gateway, ["--config", config, "--urls", "http://127.0.0.1:0"], new Dictionary<string, string?> { ["TMPDIR"] = temporary });

        (await gateway.WaitForExitAsync()).ShouldBe(1);

        gateway.Output.ShouldContain($"{config}:2 Routes[0].UpstreamPathTemplate: ");
        gateway.Output.ShouldContain($"{config}:2 Routes[0].DownstreamHostAndPorts: ");
        gateway.Output.ShouldNotContain("Listening");
        Directory.EnumerateFileSystemEntries(temporary, "tollgate*").ShouldBeEmpty();
    }

    [Fact]
    public async Task A_machine_without_a_place_for_temporary_files_serves()
    {
        await using var upstream = await StubUpstream.StartAsync();
        var config = _folder.Write("ocelot.json", Routes.File(Routes.Route("/{any}", "/{any}", upstream.Port)));
        await using var gateway = await GatewayProcess.StartWithAsync(new Dictionary<string, string?> { ["TMPDIR"] = _folder.File("nowhere") }, config);

        (await gateway.SendAsync(HttpMethod.Get, "/orders")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("--confgi", "x")]
    [InlineData("--urls", "http://127.0.0.1:0")]
    [InlineData("--config", "/nonexistent/ocelot.json")]
    public async Task A_wrong_command_line_ends_the_process_with_a_sentence(params string[] arguments)
    {
        await using var gateway = GatewayProcess.Launch(arguments);

        (await gateway.WaitForExitAsync()).ShouldNotBe(0);

        gateway.Output.ShouldNotBeNullOrWhiteSpace();
        gateway.Output.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task An_address_that_the_machine_does_not_have_is_named()
    {
        var config = _folder.Write("ocelot.json", Routes.File(Routes.Route("/{any}", "/{any}", 1)));
        await using var gateway = GatewayProcess.Launch("--config", config, "--urls", "http://203.0.113.7:8080");

        (await gateway.WaitForExitAsync()).ShouldBe(1);

        gateway.Output.ShouldContain("--urls http://203.0.113.7:8080: this machine cannot listen there");
        gateway.Output.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task A_changed_file_is_in_force_without_a_restart_and_a_bad_one_never_is()
    {
        await using var upstream = await StubUpstream.StartAsync();
        var config = _folder.Write("ocelot.json", Routes.File(Routes.Route("/old", "/", upstream.Port)));
        await using var gateway = await GatewayProcess.StartAsync(config);
        (await gateway.GetAsync("/old")).StatusCode.ShouldBe(HttpStatusCode.OK);

        // As an editor does that writes beside and renames.
        File.Move(_folder.Write("ocelot.json.new", Routes.File(Routes.Route("/new", "/", upstream.Port))), config, overwrite: true);
        await Deadline.UntilAsync("the new route is in force", async () => (await gateway.GetAsync("/new")).StatusCode == HttpStatusCode.OK);
        (await gateway.GetAsync("/old")).StatusCode.ShouldBe(HttpStatusCode.NotFound);

        _folder.Write("ocelot.json", "{ \"Routes\": [\n  { \"UpstreamPathTemplate\": 5, }, ] ");
        await gateway.WaitForLineAsync(line => line.Contains($"{config}:2") && line.Contains("stays in force"));
        (await gateway.GetAsync("/new")).StatusCode.ShouldBe(HttpStatusCode.OK);

        _folder.Write("ocelot.json", Routes.File(Routes.Route("/third", "/", upstream.Port)));
        await Deadline.UntilAsync("the third route is in force", async () => (await gateway.GetAsync("/third")).StatusCode == HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_call_under_way_ends_on_the_configuration_that_it_began_with()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var upstream = await StubUpstream.StartAsync(async http =>
        {
            await release.Task;
            await http.Response.WriteAsync("done");
        });
        var config = _folder.Write("ocelot.json", Routes.File(Routes.Route("/old", "/", upstream.Port)));
        await using var gateway = await GatewayProcess.StartAsync(config);
        var call = gateway.Client.GetStringAsync("/old");
        await Deadline.UntilAsync("the call reaches the upstream", () => Task.FromResult(!upstream.Seen.IsEmpty));

        _folder.Write("ocelot.json", Routes.File(Routes.Route("/new", "/", upstream.Port)));
        await gateway.WaitForLineAsync(line => line.Contains("Configuration 2 is in force"));
        release.SetResult();

        (await call).ShouldBe("done");
    }

    [Fact]
    public async Task A_stop_lets_calls_end_and_exits_with_success()
    {
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var upstream = await StubUpstream.StartAsync(async http =>
        {
            await release.Task;
            await http.Response.WriteAsync("done");
        });
        await using var gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", Routes.File(Routes.Route("/a", "/", upstream.Port))));
        var call = gateway.Client.GetStringAsync("/a");
        await Deadline.UntilAsync("the call reaches the upstream", () => Task.FromResult(!upstream.Seen.IsEmpty));

        var stopped = gateway.StopAsync();
        await Deadline.UntilAsync("nothing more is accepted", async () =>
        {
            using var other = new HttpClient();
            try
            {
                await other.GetAsync(gateway.Address);
                return false;
            }
            catch (HttpRequestException)
            {
                return true;
            }
        });
        release.SetResult();

        (await call).ShouldBe("done");
        (await stopped).ShouldBe(0);
    }
}
