using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;
using Tollgate.Testing;

namespace Tollgate.E2ETests;

/// <summary>A client of another site sends people to identity in a real browser: no policy of ours may stand in the way of the answer.</summary>
public sealed class ClientSignInTests(Browser browser) : IClassFixture<Browser>
{
    private const string Email = "ada@example.com";
    private const string Password = "plum orbit velvet canoe";
    private const string Challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    [Fact]
    public async Task People_get_there_and_back_by_address_and_by_form()
    {
        await using var app = await StubUpstream.StartAsync(AnswerAsync);
        using var folder = new TempFolder();
        var issuer = $"http://localhost:{FreePort.Next()}";    // another site than the client's 127.0.0.1
        await using var identity = await StartAsync(issuer, folder, app.Url);
        await using var visitor = await browser.VisitAsync(issuer);
        var page = visitor.Page;

        // By address: sign-in, consent, and each form leads on to the client.
        await page.GotoAsync(issuer + "/connect/authorize?" + Ask(app.Url));
        await visitor.ShouldPassAsync("oauth-sign-in");
        (await page.EvaluateAsync<int>("[...document.styleSheets].reduce((rules, sheet) => rules + sheet.cssRules.length, 0)")).ShouldBeGreaterThan(20);
        await page.GetByLabel("E-mail").FillAsync(Email);
        await page.GetByLabel("Password").FillAsync(Password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Heading, new() { Name = "Allow access?" }).WaitForAsync();
        await visitor.ShouldPassAsync("oauth-consent");
        await page.GetByRole(AriaRole.Button, new() { Name = "Allow" }).ClickAsync();
        await page.WaitForURLAsync(app.Url + "/cb?code=*");

        // By form, which sends itself.
        await page.GotoAsync(issuer + "/connect/authorize?" + Ask(app.Url) + "&response_mode=form_post");
        await page.GetByText("POST /cb").WaitForAsync();

        // Asked by a form of the client's own page: our cookie does not come with it, and the person is not asked to sign in again.
        await page.GotoAsync(app.Url + "/start");
        await page.GetByRole(AriaRole.Button, new() { Name = "Go" }).ClickAsync();
        await page.WaitForURLAsync(app.Url + "/cb?code=*");

        // Consent asked for by a form: refused, and told to the client.
        await page.GotoAsync(app.Url + "/start?prompt=consent");
        await page.GetByRole(AriaRole.Button, new() { Name = "Go" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Deny" }).ClickAsync();
        await page.WaitForURLAsync(app.Url + "/cb?error=access_denied*");

        // Sign-out: asked, and led back.
        await page.GotoAsync($"{issuer}/connect/endsession?client_id=shop&post_logout_redirect_uri={Uri.EscapeDataString(app.Url + "/bye")}");
        await visitor.ShouldPassAsync("oauth-sign-out");
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await page.WaitForURLAsync(app.Url + "/bye");
        visitor.Faults.ShouldBeEmpty();

        // What cannot be trusted ends on a page of ours.
        await page.GotoAsync(issuer + "/connect/authorize?client_id=nobody");
        await visitor.ShouldPassAsync("oauth-error");
    }

    [Fact]
    public async Task A_device_is_let_in_on_a_phone()
    {
        using var folder = new TempFolder();
        var issuer = $"http://localhost:{FreePort.Next()}";
        await using var identity = await StartAsync(issuer, folder, "http://127.0.0.1:9");
        using var http = new HttpClient();
        var begun = System.Text.Json.JsonDocument.Parse(await (await http.PostAsync(issuer + "/connect/deviceauthorization", new FormUrlEncodedContent(
            new Dictionary<string, string> { ["client_id"] = "cli", ["scope"] = "openid offline_access", ["device_name"] = "Ada's laptop" }))).Content.ReadAsStringAsync()).RootElement;

        await using var visitor = await browser.VisitAsync(issuer, width: 375, height: 740, ColorScheme.Dark);
        var page = visitor.Page;
        await page.GotoAsync("/device");
        await page.GetByLabel("E-mail").FillAsync(Email);
        await page.GetByLabel("Password").FillAsync(Password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
        await page.GetByLabel("Code").FillAsync(begun.GetProperty("user_code").GetString()!);
        await visitor.ShouldPassAsync("oauth-device");
        await page.GetByRole(AriaRole.Button, new() { Name = "Continue" }).ClickAsync();
        await page.GetByText("Ada's laptop").WaitForAsync();
        await visitor.ShouldPassAsync("oauth-device-consent");
        await page.GetByRole(AriaRole.Button, new() { Name = "Connect the device" }).ClickAsync();
        await page.GetByRole(AriaRole.Heading, new() { Name = "The device is connected" }).WaitForAsync();
        await visitor.ShouldPassAsync("oauth-device-done");
        await http.PostAsync(issuer + "/connect/token", new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "urn:ietf:params:oauth:grant-type:device_code", ["client_id"] = "cli", ["device_code"] = begun.GetProperty("device_code").GetString()!,
        }));
        await page.GotoAsync("/account/applications");
        await page.GetByText("Command line").First.WaitForAsync();
        await visitor.ShouldPassAsync("account-applications");
        await page.GetByRole(AriaRole.Button, new() { NameRegex = new System.Text.RegularExpressions.Regex("Withdraw") }).ClickAsync();
        await page.GetByText("It no longer acts for you.").WaitForAsync();
        visitor.Faults.ShouldBeEmpty();
    }

    private static string Ask(string app) =>
        $"client_id=shop&response_type=code&scope=openid%20email&redirect_uri={Uri.EscapeDataString(app + "/cb")}&code_challenge={Challenge}&code_challenge_method=S256&state=s";

    /// <summary>The client: says what came, and at <c>/start</c> shows a form that asks identity.</summary>
    private static Task AnswerAsync(HttpContext http)
    {
        http.Response.ContentType = "text/html";
        if (http.Request.Path != "/start") return http.Response.WriteAsync($"<link rel=icon href=data:,><p>{http.Request.Method} {http.Request.Path}</p>");
        var issuer = Issuer.Value!;
        var fields = System.Web.HttpUtility.ParseQueryString(Ask($"http://{http.Request.Host}"));
        if (http.Request.Query["prompt"] is [{ } prompt]) fields["prompt"] = prompt;
        return http.Response.WriteAsync($"<link rel=icon href=data:,><form method=post action='{issuer}/connect/authorize'>"
            + string.Concat(fields.AllKeys.Select(k => $"<input type=hidden name='{k}' value='{fields[k]}'>")) + "<button>Go</button></form>");
    }

    private static readonly StrongBox Issuer = new();

    private static async Task<ChildProcess> StartAsync(string issuer, TempFolder folder, string app)
    {
        Issuer.Value = issuer;
        var bootstrap = folder.Write("bootstrap.json", $$"""
            { "users": [{ "email": "{{Email}}", "password": "{{Password}}", "confirmed": true }],
              "clients": [
                { "clientId": "shop", "name": "Corner shop", "secret": "s", "grants": ["authorization_code"], "scopes": ["openid", "email"], "consent": true,
                  "redirectUris": ["{{app}}/cb"], "postLogoutRedirectUris": ["{{app}}/bye"] },
                { "clientId": "cli", "name": "Command line", "public": true, "grants": ["urn:ietf:params:oauth:grant-type:device_code"], "scopes": ["openid", "offline_access"] } ] }
            """);
        var identity = ChildProcess.StartDotnet(Programs.Host, ["--roles", "identity", "--urls", issuer, "--Data", folder.File("data"), "--Identity:Issuer", issuer, "--Identity:Bootstrap", bootstrap]);
        await identity.WaitForLineAsync(line => line.Contains("Tollgate is up", StringComparison.Ordinal));
        return identity;
    }

    private sealed class StrongBox
    {
        public string? Value { get; set; }
    }
}
