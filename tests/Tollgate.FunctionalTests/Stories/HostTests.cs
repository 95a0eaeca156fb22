using System.Net;
using Tollgate.ServiceDefaults.Internal;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Stories;

/// <summary>The one command, as a person meets it.</summary>
public sealed class HostTests
{
    [Fact]
    public async Task The_printed_line_works_and_a_second_start_changes_nothing()
    {
        await using var host = await HostProcess.StartAsync([]);
        var curl = (await host.Process.WaitForLineAsync(line => line.Contains("curl -H", StringComparison.Ordinal))).Trim();    // the last of what it says
        host.Output.ShouldContain("Password");
        var key = curl.Split('"')[1]["X-Api-Key: ".Length..];
        using var http = new HttpClient();
        await ShouldAnswerAsync();

        (await host.StopAsync()).ShouldBe(0);
        var feeds = FeedFiles();    // written beside what is served, and whole once it has stopped
        await host.StartProcessAsync();
        await ShouldAnswerAsync();
        await host.Process.WaitForLineAsync(line => line.Contains(curl, StringComparison.Ordinal));
        host.Output.ShouldNotContain("Password");
        FeedFiles().ShouldBe(feeds);

        // Its gateway waits for the feeds before it says that it is up, but not as long as a busy machine may need.
        async Task ShouldAnswerAsync()
        {
            var text = "";
            await Deadline.UntilAsync(() => $"the line works; what came was {text}", async () =>
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, curl.Split('"')[3]);
                request.Headers.Add("X-Api-Key", key);
                using var answer = await http.SendAsync(request);
                text = await answer.Content.ReadAsStringAsync();
                return answer.StatusCode == HttpStatusCode.OK ? text : null;
            });
            text.ShouldContain("\"name\":\"Berlin\"");
        }

        // What the gateway last heard: a change by the second start would be another version.
        string FeedFiles() => string.Join('\n', Directory.GetFiles(host.Data.File("gateway/feeds")).Order().Select(File.ReadAllText)
            .Select(text => string.Join('\n', text.Split('\n').Where(line => line.Contains("\"type\":\"key\"", StringComparison.Ordinal) || line.Contains("entitlement", StringComparison.Ordinal)))));
    }

    [Fact]
    public async Task Somebodys_own_routes_are_proxied_without_any_account()
    {
        await using var upstream = await StubUpstream.StartAsync();
        using var folder = new TempFolder();
        var config = folder.Write("ocelot.json", $$"""
            { "Routes": [ { "UpstreamPathTemplate": "/orders/{everything}", "DownstreamPathTemplate": "/api/{everything}", "DownstreamScheme": "http",
                            "DownstreamHostAndPorts": [ { "Host": "127.0.0.1", "Port": {{upstream.Port}} } ] } ] }
            """);
        await using var host = await HostProcess.StartAsync(["--config", config]);
        using var http = new HttpClient();
        (await http.GetStringAsync(host.GatewayUrl + "/orders/7?full=yes")).ShouldBe("ok");
        upstream.Seen.ShouldHaveSingleItem().Target.ShouldBe("/api/7?full=yes");
        await (await http.GetAsync(host.GatewayUrl + "/nothing")).ShouldBeProblemAsync(404, "unknown-route");
    }

    [Fact]
    public async Task A_first_start_on_PostgreSQL_reports_nothing_that_is_none_of_a_persons_business()
    {
        var postgres = await (await PostgresServer.SharedAsync()).NewDatabaseAsync();
        await using var host = await HostProcess.StartControlPlaneAsync(postgres, GatewayToken.New());
        (await host.StopAsync()).ShouldBe(0);
        host.Output.ShouldNotContain("fail:");
        host.Output.ShouldNotContain("gssapi");
    }

    [Fact]
    public async Task While_the_database_is_away_everybody_is_told_to_come_again_and_afterwards_is_served()
    {
        await using var postgres = await PostgresServer.StartAsync();
        await using var host = await HostProcess.StartControlPlaneAsync(await postgres.NewDatabaseAsync() + ";Timeout=5", GatewayToken.New());
        using var admin = new PortalPerson(host.PortalUrl, host.Data.Path);
        await admin.SignInAsync(HostProcess.AdminEmail, HostProcess.AdminPassword);
        using var stranger = new HttpClient { BaseAddress = new Uri(host.PortalUrl) };

        await postgres.StopAsync();

        foreach (var (http, path) in new[] { (admin.Http, "/api/v1/admin/organisations"), (admin.Http, "/api/v1/products") })
        {
            var answer = await http.GetAsync(path);
            await answer.ShouldBeProblemAsync(503, "unavailable");
            answer.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(5));
        }

        foreach (var (http, path) in new[] { (admin.Http, "/admin/organisations"), (stranger, "/"), (stranger, "/apis/weather"), (admin.Http, "/account/sessions") })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Accept = { new("text/html") } } };
            var page = await http.SendAsync(request);
            page.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable, path);
            page.Content.Headers.ContentType!.MediaType.ShouldBe("text/html", path);
            (await page.Content.ReadAsStringAsync()).ShouldContain("Try again in a moment", customMessage: path);
        }

        await postgres.StartServerAsync();
        await Deadline.UntilAsync("the same session is served", async () => (await admin.Http.GetAsync("/api/v1/admin/organisations")).IsSuccessStatusCode);
    }

    [Fact]
    public async Task The_health_check_of_the_image_asks_the_internal_port_alone()
    {
        await using var host = await HostProcess.StartAsync([]);
        await using var check = ChildProcess.StartDotnet(Programs.Host, ["health", host.InternalUrl + "/health/ready"]);
        (await check.WaitForExitAsync()).ShouldBe(0, check.Output);
        using var http = new HttpClient();
        (await http.GetAsync(host.GatewayUrl + "/health/ready")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await http.GetAsync(host.PortalUrl + "/health/ready")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        // A call is counted after its answer went out.
        await Deadline.UntilAsync("the metric counts", async () => (await http.GetStringAsync(host.InternalUrl + "/metrics")).Contains("tollgate_gateway_calls"));
        await host.KillAsync();
        await using var again = ChildProcess.StartDotnet(Programs.Host, ["health", host.InternalUrl + "/health/ready"]);
        (await again.WaitForExitAsync()).ShouldBe(1);
    }

    [Fact]
    public async Task What_cannot_be_read_is_refused_in_development_as_anywhere()
    {
        await using var host = await HostProcess.StartAsync(
            ["--Identity:AdminEmail", HostProcess.AdminEmail, "--Identity:AdminPassword", HostProcess.AdminPassword],
            new Dictionary<string, string?> { ["ASPNETCORE_ENVIRONMENT"] = "Development" });
        using var admin = new PortalPerson(host.PortalUrl, host.Data.Path);
        await admin.SignInAsync(HostProcess.AdminEmail, HostProcess.AdminPassword);
        await (await admin.Http.GetAsync("/api/v1/admin/organisations?page=abc")).ShouldBeProblemAsync(400, "parameter");
        host.Output.ShouldNotContain("unhandled exception");
    }

    [Theory]
    [InlineData("--rolls", "gateway", "no option --rolls")]
    [InlineData("--roles", "gatway", "the roles are gateway, identity, billing and portal")]
    [InlineData("--config", "/no/such/file.json", "no such file or folder")]
    [InlineData("--Listen:Gateway", "localhost", "write an address such as")]
    [InlineData("--ConnectionStrings:Postgres", "Host=db;Pasword=x", "--ConnectionStrings:Postgres: ")]
    [InlineData("--Identity:AdminPassword", "short", "Identity:AdminPassword is not good enough")]
    public async Task What_a_person_mistypes_is_refused_with_a_sentence(string option, string value, string sentence)
    {
        using var data = new TempFolder();
        await using var process = ChildProcess.StartDotnet(Programs.Host, ["--Data", data.Path, option, value]);
        (await process.WaitForExitAsync()).ShouldBe(2, process.Output);
        process.Output.ShouldContain(sentence);
        process.Output.ShouldNotContain("   at ");
    }

    [Theory]
    [InlineData(2, "the folder cannot be made", "--Data", "{file}")]
    [InlineData(1, "identity.db cannot be used: SQLite Error 26", "--Data", "{garbled}")]
    [InlineData(1, "billing.db cannot be used: SQLite Error", "--Data", "{odd}")]
    [InlineData(1, "role \"nobody\" does not exist", "--ConnectionStrings:Postgres", "{postgres};Username=nobody")]
    [InlineData(1, "The Redis connection string cannot be read", "--ConnectionStrings:Redis", "127.0.0.1:6379,colour=red")]
    [InlineData(2, "Let a proxy before it end TLS", "--Listen:Portal", "https://127.0.0.1:0")]
    [InlineData(2, "https needs a certificate", "--Listen:Gateway", "https://127.0.0.1:0")]
    [InlineData(1, "move the folder away to begin a new journal", "--Data", "{lost}")]
    [InlineData(1, "203.0.113.7:8080: this machine cannot listen there", "--Listen:Gateway", "http://203.0.113.7:8080")]
    [InlineData(1, "--Listen:Internal http://203.0.113.7:8099: this machine cannot listen there", "--Listen:Internal", "http://203.0.113.7:8099")]
    public async Task What_cannot_be_used_ends_the_start_with_a_sentence(int code, string sentence, string option, string value)
    {
        using var folder = new TempFolder();
        folder.Write("garbled/identity.db", new string('x', 8192));
        Directory.CreateDirectory(folder.File("odd/billing.db"));
        folder.Write("lost/gateway/journal/journal.json", "{");
        value = value.Replace("{lost}", folder.File("lost")).Replace("{file}", folder.Write("file", "")).Replace("{garbled}", folder.File("garbled")).Replace("{odd}", folder.File("odd"))
            .Replace("{postgres}", value.StartsWith("{postgres}", StringComparison.Ordinal) ? await (await PostgresServer.SharedAsync()).NewDatabaseAsync() : "");
        string[] ports = [.. new[] { "Gateway", "Portal", "Internal" }.SelectMany(door => new[] { "--Listen:" + door, $"http://127.0.0.1:{FreePort.Next()}" })];
        await using var process = ChildProcess.StartDotnet(Programs.Host, ["--Data", folder.File("data"), .. ports, option, value]);

        (await process.WaitForExitAsync()).ShouldBe(code, process.Output);

        process.Output.ShouldContain(sentence);
        process.Output.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named()
    {
        await using var first = await HostProcess.StartAsync([]);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => ComesToNothingAsync()));    // at once, so that each is slow: what ends may still be asked

        async Task ComesToNothingAsync()
        {
            using var data = new TempFolder();
            await using var second = ChildProcess.StartDotnet(Programs.Host, ["--Data", data.Path, "--Listen:Gateway", first.GatewayUrl,
                "--Listen:Portal", $"http://127.0.0.1:{FreePort.Next()}", "--Listen:Internal", $"http://127.0.0.1:{FreePort.Next()}"]);
            (await second.WaitForExitAsync()).ShouldBe(1, second.Output);
            second.Output.ShouldContain(first.GatewayUrl);
            second.Output.ShouldContain("--Listen:Gateway");
            second.Output.ShouldNotContain("   at ");
        }

        using var folder = new TempFolder();
        await using var third = ChildProcess.StartDotnet(Programs.Host, ["--Data", folder.Path, "--Listen:Gateway", $"http://127.0.0.1:{FreePort.Next()}",
            "--Listen:Portal", first.PortalUrl, "--Listen:Internal", $"http://127.0.0.1:{FreePort.Next()}"]);
        (await third.WaitForExitAsync()).ShouldBe(1, third.Output);
        third.Output.ShouldContain($"--Listen:Portal {first.PortalUrl}: this machine cannot listen there");
        third.Output.ShouldNotContain("   at ");
    }
}
