using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Cli;

/// <summary>A person at a terminal signs in without a token to copy: the device flow, from the command line's side.</summary>
public sealed class LoginTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Who_has_logged_in_publishes_routes_without_a_token_until_they_log_out()
    {
        await using var host = await HostProcess.StartAsync(["--roles", "identity,billing,portal",
            "--Identity:AdminEmail", HostProcess.AdminEmail, "--Identity:AdminPassword", HostProcess.AdminPassword, "--Identity:DevicePollSeconds", "1"]);
        using var admin = new PortalPerson(host.PortalUrl, host.Data.Path);
        await admin.SignInAsync(HostProcess.AdminEmail, HostProcess.AdminPassword);
        (await RunAsync(host, "whoami")).ShouldSatisfyAllConditions(run => run.Code.ShouldBe(1), run => run.Output.ShouldContain("tollgate login"));

        await LogInAsync(host, admin, allow: false, "You refused it on the page.");
        File.Exists(Kept).ShouldBeFalse();
        await LogInAsync(host, admin, allow: true, "read, applications, routes");
        if (!OperatingSystem.IsWindows()) File.GetUnixFileMode(Kept).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);

        var routes = _folder.Write("ocelot.orders.json", Gateway.Routes.File(Gateway.Routes.Route("/orders/{rest}", "/{rest}", 1)));
        (await RunAsync(host, "routes", "publish", "orders", routes)).Output.ShouldContain("orders version 1 is published");
        (await RunAsync(host, "whoami")).Output.ShouldContain(HostProcess.AdminEmail);

        (await RunAsync(host, "explain", Guid.NewGuid().ToString())).ShouldSatisfyAllConditions(run => run.Code.ShouldBe(1), run => run.Output.ShouldContain("No gateway in reach remembers"));

        // What it may do ends at its scopes, its audience and the person's organisations.
        var token = Read("accessToken");
        (await CallAsync(host, "/me", token)).ShouldBe(HttpStatusCode.OK);
        (await CallAsync(host, "/admin/staff", token)).ShouldBe(HttpStatusCode.Forbidden);
        (await CallAsync(host, "/account/tokens", token)).ShouldBe(HttpStatusCode.Forbidden);
        (await CallAsync(host, "/me", token, Guid.NewGuid().ToString())).ShouldBe(HttpStatusCode.Unauthorized);
        (await CallAsync(host, "/me", Forged.EndOf(token))).ShouldBe(HttpStatusCode.Unauthorized);

        // When the tokens are over, several commands at once fetch new ones once; the old refresh token is spent.
        Write("expires", "2020-01-01T00:00:00Z");
        var before = Read("refreshToken");
        foreach (var run in await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => RunAsync(host, "whoami")))) run.Code.ShouldBe(0, run.Output);
        Read("refreshToken").ShouldNotBe(before);

        (await RunAsync(host, "logout")).Output.ShouldContain("signed out");
        (await CallAsync(host, "/me", token)).ShouldBe(HttpStatusCode.Unauthorized);   // on the server too, not only here
        (await RunAsync(host, "routes", "list")).Code.ShouldBe(1);

        // Taken back on the account's page, it is out as well.
        await LogInAsync(host, admin, allow: true, "routes");
        await admin.SubmitAsync("/account/applications", form => form);
        (await RunAsync(host, "routes", "list")).Code.ShouldBe(1);
        Write("expires", "2020-01-01T00:00:00Z");
        (await RunAsync(host, "routes", "list")).Output.ShouldContain("Your sign-in is over. Run: tollgate login");
    }

    [Fact]
    public async Task A_login_acts_in_the_organisation_that_was_named()
    {
        await using var host = await HostProcess.StartAsync(["--roles", "identity,billing,portal", "--Identity:DevicePollSeconds", "1"]);
        using var person = new PortalPerson(host.PortalUrl, host.Data.Path);
        await person.JoinAsync();
        await person.PostAsync("/organisations", new { name = "Second" });
        await LogInAsync(host, person, allow: true, "Second, owner", "--organisation", "second");
        (await RunAsync(host, "whoami")).Output.ShouldContain("Second, owner");
        await LogInAsync(host, person, allow: true, "Yours are:", "--organisation", "nobody's");
        (await RunAsync(host, "routes", "list")).Output.ShouldContain("(403)");   // customers publish nothing
    }

    [Fact]
    public async Task Where_no_portal_answers_a_sentence_says_so()
    {
        await using var stranger = await StubUpstream.StartAsync();
        (await RunAsync("http://127.0.0.1:1", "login")).ShouldSatisfyAllConditions(run => run.Code.ShouldBe(1), run => run.Output.ShouldContain("cannot be reached"));
        (await RunAsync($"http://127.0.0.1:{stranger.Port}", "login")).ShouldSatisfyAllConditions(run => run.Code.ShouldBe(1), run => run.Output.ShouldContain("Tollgate portal"));
        (await RunAsync("http://127.0.0.1:1", "logout")).Code.ShouldBe(0);
    }

    private string Kept => _folder.File("config/sign-ins.json");

    private string Read(string member) => JsonNode.Parse(File.ReadAllText(Kept))!.AsObject().Single().Value![member]!.GetValue<string>();

    private void Write(string member, string value)
    {
        var all = JsonNode.Parse(File.ReadAllText(Kept))!;
        all.AsObject().Single().Value![member] = value;
        File.WriteAllText(Kept, all.ToJsonString());
    }

    private async Task LogInAsync(HostProcess host, PortalPerson person, bool allow, string says, params string[] more)
    {
        await using var login = ChildProcess.StartDotnet(Programs.Cli, ["login", .. more], Environment(host.PortalUrl));
        var line = await login.WaitForLineAsync(line => line.Contains("/device?user_code=", StringComparison.Ordinal));
        using var page = await person.SubmitAsync(new Uri(line.Trim()).PathAndQuery, form => form.Fill("user_code", Regex.Match(line, "user_code=(.+)$").Groups[1].Value.Trim()));
        var html = await page.Content.ReadAsStringAsync();
        html.ShouldContain("Tollgate command line");
        var form = HtmlForm.In(html, "/device");
        using var decided = await person.Http.PostAsync(form.Action, form.With("decision", allow ? "allow" : "deny").Content);
        await login.WaitForExitAsync();
        login.Output.ShouldContain(says);
    }

    private Dictionary<string, string?> Environment(string server) =>
        new() { ["TOLLGATE_TOKEN"] = null, ["TOLLGATE_URL"] = server, ["TOLLGATE_CONFIG_DIR"] = _folder.File("config") };

    private Task<(int Code, string Output)> RunAsync(HostProcess host, params string[] arguments) => RunAsync(host.PortalUrl, arguments);

    private async Task<(int Code, string Output)> RunAsync(string server, params string[] arguments)
    {
        await using var process = ChildProcess.StartDotnet(Programs.Cli, arguments, Environment(server));
        var code = await process.WaitForExitAsync();
        return (code, process.Output);
    }

    private static async Task<HttpStatusCode> CallAsync(HostProcess host, string path, string token, string? organisation = null)
    {
        using var http = new HttpClient();
        using var call = new HttpRequestMessage(HttpMethod.Get, host.PortalUrl + "/api/v1" + path);
        call.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (organisation is not null) call.Headers.Add("Tollgate-Organisation", organisation);
        using var answer = await http.SendAsync(call);
        return answer.StatusCode;
    }
}
