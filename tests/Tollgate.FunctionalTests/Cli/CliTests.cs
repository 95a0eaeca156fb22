using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Cli;

/// <summary>The <c>tollgate</c> executable as a person or a pipeline runs it.</summary>
public sealed class CliTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Check_says_what_becomes_of_each_property_and_by_its_exit_code_whether_a_gateway_would_start()
    {
        var good = _folder.Write("good.json", """
            { "Routes": [
              { "UpstreamPathTemplate": "/a/{x}", "DownstreamPathTemplate": "/{x}", "DownstreamHostAndPorts": [ { "Host": "h", "Port": 80 } ] },
              { "UpstreamPathTemplate": "/a/b", "DownstreamPathTemplate": "/", "DownstreamHostAndPorts": [ { "Host": "h", "Port": 80 } ], "Prioritty": 3 } ],
              "GlobalConfiguration": { "AdministrationPath": "/admin" } }
            """);
        var (code, output) = await RunAsync("check", good);
        code.ShouldBe(0, output);
        foreach (var said in new[] { "DownstreamPathTemplate", " same ", "better because", "ignored because", "did you mean Priority?", "good.json:3: \"/a/b\" is never reached: its calls go to \"/a/{x}\"" })
            output.ShouldContain(said);
        (await RunAsync("check", good, "--strict")).Code.ShouldBe(1);
        (await RunAsync("check", good, "--format", "json")).Output.ShouldContain("\"fate\": \"ignored\"");

        var (bad, errors) = await RunAsync("check", _folder.Write("bad.json", "{ \"Routes\": [\n { \"UpstreamPathTemplate\": \"a\" } ] }"));
        bad.ShouldBe(1);
        errors.ShouldContain("bad.json:2 Routes[0].UpstreamPathTemplate");
        (await RunAsync("check", _folder.File("absent"))).Code.ShouldBe(1);
    }

    [Fact]
    public async Task A_pipeline_publishes_routes_sees_what_they_change_and_rolls_them_back()
    {
        await using var upstream = await StubUpstream.StartAsync();
        await using var host = await HostProcess.StartAsync(["--Identity:AdminEmail", HostProcess.AdminEmail, "--Identity:AdminPassword", HostProcess.AdminPassword]);
        using var admin = new PortalPerson(host.PortalUrl, host.Data.Path);
        await admin.SignInAsync(HostProcess.AdminEmail, HostProcess.AdminPassword);
        // Who publishes hears of the gateways that the control plane has heard of.
        await admin.PutAsync("/routes/before", System.Text.Json.Nodes.JsonNode.Parse(Gateway.Routes.File(Gateway.Routes.Route("/before", "/", upstream.Port)))!);
        await Deadline.UntilAsync("the gateway has told how routes stand", async () => (await admin.GetAsync("/routes/before")).GetProperty("gateways").EnumerateArray().Any(one => one.GetProperty("state").GetString() == "serves"));
        var made = await admin.PostAsync("/account/tokens", new { name = "pipeline", scopes = new[] { "routes" } });
        string[] to = ["--server", host.PortalUrl, "--token", made.GetProperty("token").GetString()!];
        string Write(string prefix, string target) => _folder.Write("ocelot.orders.json", Gateway.Routes.File(Gateway.Routes.Route(prefix, target, upstream.Port)));

        var (code, output) = await RunAsync(["routes", "publish", "orders", Write("/orders/{rest}", "/one/{rest}"), .. to]);
        code.ShouldBe(0, output);
        output.ShouldContain("orders version 1 is published: 1 routes under /orders.");
        output.ShouldContain("It serves on 1 of 1 gateways.");
        (await RunAsync(["routes", "status", "orders", .. to])).Output.ShouldContain("serves it");
        using var http = new HttpClient { BaseAddress = new Uri(host.GatewayUrl) };
        await Deadline.UntilAsync("the gateway serves them", async () => (await http.GetAsync("/orders/x")).IsSuccessStatusCode);
        upstream.Seen.ShouldContain(call => call.Target == "/one/x");

        (await RunAsync(["routes", "diff", "orders", Write("/orders/{rest}", "/two/{rest}"), .. to])).Output.ShouldContain("/two/{rest}");
        (await RunAsync(["routes", "publish", "orders", _folder.File("ocelot.orders.json"), .. to])).Output.ShouldContain("version 2");
        (await RunAsync(["routes", "list", .. to])).Output.ShouldContain("orders");
        (await RunAsync(["routes", "rollback", "orders", "1", .. to])).Output.ShouldContain("orders version 3 is published, with the words of version 1.");

        var (refused, why) = await RunAsync(["routes", "publish", "billing", Write("/orders/invoices", "/"), .. to]);
        refused.ShouldBe(1);
        why.ShouldContain("/orders/invoices belongs to orders");
        var (files, ownedByFile) = await RunAsync(["routes", "publish", "weather2", Write("/weather/v1/x", "/"), .. to]);
        files.ShouldBe(1);
        ownedByFile.ShouldContain("ocelot.json");
        var (nobody, noProvider) = await RunAsync(["routes", "publish", "orders", _folder.Write("ocelot.orders.json", Gateway.Routes.File(Gateway.Routes.Route(
            "/orders/{rest}", "/", upstream.Port, "\"AuthenticationOptions\": { \"AuthenticationProviderKey\": \"Nobody\" }"))), .. to]);
        nobody.ShouldBe(1);
        noProvider.ShouldContain("there is no provider \"Nobody\"");
        (await RunAsync(["gateways", "purge", "--region", "shop", .. to])).Output.ShouldContain("Every gateway throws them away.");
        (await RunAsync(["gateways", "purge", .. to])).Code.ShouldBe(1);
        (await RunAsync(["gateways", "drain", "orders-1:8080", .. to])).Output.ShouldContain("Draining: orders-1:8080");
        (await RunAsync(["gateways", "drained", .. to])).Output.ShouldContain("orders-1:8080");
        (await RunAsync(["gateways", "resume", "orders-1:8080", .. to])).Output.ShouldContain("No host drains.");
        (await RunAsync(["gateways", "resume", "orders-1:8080", .. to])).Code.ShouldBe(1);

        var (unknown, sentence) = await RunAsync("routes", "list", "--server", host.PortalUrl, "--token", "wrong");
        unknown.ShouldBe(1);
        sentence.ShouldContain("(401)");
        (await RunAsync("routes", "list", "--server", "http://127.0.0.1:1")).Output.ShouldContain("cannot be reached");
    }

    private static async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        await using var process = ChildProcess.StartDotnet(Programs.Cli, arguments, new Dictionary<string, string?> { ["TOLLGATE_TOKEN"] = null, ["TOLLGATE_URL"] = null });
        var code = await process.WaitForExitAsync();
        return (code, process.Output);
    }
}
