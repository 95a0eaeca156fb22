using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Tollgate.Testing;

namespace Tollgate.E2ETests;

/// <summary>The portal's pages about people and what acts for them, with something on each, wide and narrow, by day and night.</summary>
public sealed class PeoplePagesTests(Browser browser) : IClassFixture<Browser>
{
    [Fact]
    public async Task Pages_of_staff_audit_clients_organisations_and_connections_pass_the_rules_of_accessibility()
    {
        await using var host = await HostProcess.StartAsync(["--roles", "identity,billing,portal", "--Demo", "true",
            "--Identity:AdminEmail", HostProcess.AdminEmail, "--Identity:AdminPassword", HostProcess.AdminPassword,
            "--Identity:External:work:Authority", "http://127.0.0.1:9", "--Identity:External:work:ClientId", "tollgate", "--Identity:External:work:ClientSecret", "secret", "--Identity:External:work:Title", "Work"]);
        using var person = new PortalPerson(host.PortalUrl, host.Data.Path);
        await person.JoinAsync();
        var customer = await person.SubscribeAsync("free");
        foreach (var (name, kind) in new[] { ("nightly job", "service"), ("shop", "web") })
            await person.PostAsync($"/applications/{customer.Application}/clients", kind == "web"
                ? new { name, kind, scopes = new[] { "openid" }, redirectUris = new[] { "https://shop.example/cb" } }
                : (object)new { name, kind });
        await person.PostAsync("/organisation/invitations", new { email = "grace@example.com", role = "developer" });
        await person.PostAsync("/account/tokens", new { name = "pipeline", scopes = new[] { "read" } });

        await using var customers = await browser.VisitAsync(host.PortalUrl);
        await SignInAsync(customers, person.Email, PortalPerson.Password);
        foreach (var path in new[] { $"/apps/{customer.Application}", "/organisation", "/organisation/audit", "/account", "/account/tokens", "/account/connections" }) await LookAsync(customers, path);
        await LookAsync(customers, await InvitationAsync(host.Data.Path));
        await LookBeforeItIsLiveAsync(customers, $"/apps/{customer.Application}");

        await using var admins = await browser.VisitAsync(host.PortalUrl);
        await SignInAsync(admins, HostProcess.AdminEmail, HostProcess.AdminPassword);
        foreach (var path in new[] { "/admin/staff", "/admin/audit", "/admin/clients", "/admin/conformance", "/admin/organisations", "/account/tokens" }) await LookAsync(admins, path, "admin");
        customers.Faults.Concat(admins.Faults).ShouldBeEmpty();
    }

    [Fact]
    public async Task Staff_suspend_an_application_reset_counters_and_publish_terms_by_pressing_what_is_there()
    {
        await using var host = await HostProcess.StartAsync(["--roles", "identity,billing,portal", "--Demo", "true",
            "--Identity:AdminEmail", HostProcess.AdminEmail, "--Identity:AdminPassword", HostProcess.AdminPassword]);
        using var person = new PortalPerson(host.PortalUrl, host.Data.Path);
        await person.JoinAsync();
        var customer = await person.SubscribeAsync("free");
        var application = await person.GetAsync($"/applications/{customer.Application}");
        var (name, organisation) = (application.GetProperty("name").GetString()!, application.GetProperty("organisation").GetString()!);
        await using var customers = await browser.VisitAsync(host.PortalUrl);
        await SignInAsync(customers, person.Email, PortalPerson.Password);
        await using var admins = await browser.VisitAsync(host.PortalUrl);
        await SignInAsync(admins, HostProcess.AdminEmail, HostProcess.AdminPassword);
        var page = admins.Page;

        await admins.OpenAsync("/admin/organisations");
        await page.Locator($"a[href='/admin/organisations/{organisation}']").ClickAsync();
        await PressAsync($"Suspend {name}");
        await LookAtDialogAsync("admin-suspend");
        await PressAsync("Suspend the application");
        await Assertions.Expect(page.GetByRole(AriaRole.Row).Filter(new() { HasText = name })).ToContainTextAsync("Suspended");
        await LookAsync(admins, $"/admin/organisations/{organisation}", "admin");
        await customers.OpenAsync($"/apps/{customer.Application}");
        await Assertions.Expect(customers.Page.GetByText("The platform has suspended this application")).ToBeVisibleAsync();
        await PressAsync($"Resume {name}");
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = $"Suspend {name}" })).ToBeVisibleAsync();
        await customers.OpenAsync("/apps");
        await Assertions.Expect(customers.Page.GetByText("Suspended")).ToHaveCountAsync(0);

        await PressAsync("Suspend the organisation");
        await Assertions.Expect(page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Suspend the organisation" })).ToBeDisabledAsync();
        await page.Locator("#ask-name").FillAsync("something else");
        await Assertions.Expect(page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Suspend the organisation" })).ToBeDisabledAsync();
        await PressAsync("Keep it");
        await Assertions.Expect(page.GetByRole(AriaRole.Dialog)).ToHaveCountAsync(0);

        await admins.OpenAsync("/admin/products/weather/subscribers");
        await page.GetByRole(AriaRole.Button, new() { Name = "Reset counters" }).First.ClickAsync();
        await LookAtDialogAsync("admin-reset");
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Reset the counters" }).ClickAsync();
        await Assertions.Expect(page.Locator("p.notice.good")).ToBeVisibleAsync();

        await admins.OpenAsync("/admin/products/weather");
        var plan = page.GetByRole(AriaRole.Article).Filter(new() { Has = page.Locator("#plan-pro") });
        await plan.GetByRole(AriaRole.Button, new() { Name = "New version" }).ClickAsync();
        await plan.GetByLabel("Spend cap").FillAsync("500");
        await PressAsync("Add a limit of calls at a time");
        await plan.GetByLabel("Calls under way").FillAsync("7");
        await plan.GetByLabel("Beyond it").First.SelectOptionAsync("only reported");
        await Assertions.Expect(plan.Locator(".preview")).ToContainTextAsync("7");
        await admins.PictureAsync("admin-terms", fullPage: true);
        await plan.GetByRole(AriaRole.Button, new() { NameRegex = new Regex("^Publish version") }).ClickAsync();
        await Assertions.Expect(plan.GetByRole(AriaRole.Button, new() { NameRegex = new Regex("^Publish version") })).ToHaveCountAsync(0);
        await Assertions.Expect(plan).ToContainTextAsync("Version 2");
        customers.Faults.Concat(admins.Faults).ShouldBeEmpty();

        Task PressAsync(string button) => page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).Last.ClickAsync();

        async Task LookAtDialogAsync(string picture)
        {
            await Assertions.Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
            await admins.PictureAsync(picture);
        }
    }

    [Fact]
    public async Task What_a_stranger_at_an_open_screen_must_not_do_asks_on_its_page_who_it_is()
    {
        await using var host = await HostProcess.StartAsync(["--roles", "identity,billing,portal", "--Demo", "true",
            "--Identity:AdminEmail", HostProcess.AdminEmail, "--Identity:AdminPassword", HostProcess.AdminPassword]);
        using var person = new PortalPerson(host.PortalUrl, host.Data.Path);
        await person.JoinAsync();
        await using var admins = await browser.VisitAsync(host.PortalUrl);
        await SignInAsync(admins, HostProcess.AdminEmail, HostProcess.AdminPassword);
        await using var customers = await browser.VisitAsync(host.PortalUrl);
        await SignInAsync(customers, person.Email, PortalPerson.Password);

        await admins.OpenAsync("/admin/staff");
        await customers.OpenAsync("/organisation");
        await LeaveOpenAsync(host.Data.Path);
        await GiveAsync();
        await ProveAsync(admins, HostProcess.AdminEmail, HostProcess.AdminPassword, "/admin/staff");
        await Assertions.Expect(admins.Page.GetByRole(AriaRole.Row).Filter(new() { HasText = person.Email })).ToHaveCountAsync(0);   // nothing was done
        await GiveAsync();
        await Assertions.Expect(admins.Page.GetByRole(AriaRole.Row).Filter(new() { HasText = person.Email })).ToHaveCountAsync(1);

        await IssueAsync();
        await ProveAsync(customers, person.Email, PortalPerson.Password, "/organisation");
        await IssueAsync();
        await Assertions.Expect(customers.Page.GetByText("Copy it now")).ToBeVisibleAsync();

        async Task GiveAsync()
        {
            await admins.Page.GetByLabel("E-mail").FillAsync(person.Email);
            await admins.Page.GetByRole(AriaRole.Button, new() { Name = "Give the role" }).ClickAsync();
        }

        async Task IssueAsync()
        {
            await customers.Page.GetByRole(AriaRole.Button, new() { Name = "New service token" }).ClickAsync();
            await customers.Page.Locator("#token-name").FillAsync("pipeline");
            await customers.Page.GetByRole(AriaRole.Button, new() { Name = "Make the token" }).ClickAsync();
        }
    }

    /// <summary>Half an hour and more, as the database sees it.</summary>
    private static async Task LeaveOpenAsync(string folder)
    {
        await using var db = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={Path.Combine(folder, "identity.db")};Default Timeout=30");
        await db.OpenAsync();
        await using var command = db.CreateCommand();
        command.CommandText = $"UPDATE sessions SET \"Opened\" = {DateTimeOffset.UtcNow.AddMinutes(-31).UtcTicks}";
        (await command.ExecuteNonQueryAsync()).ShouldBeGreaterThan(0);
    }

    /// <summary>The sign-in page has come up by itself; from there it goes back to where the person was.</summary>
    private static async Task ProveAsync(Visitor visitor, string email, string password, string back)
    {
        await visitor.Page.WaitForURLAsync(new Regex("/account/sign-in\\?again=true"));
        await EnterAsync(visitor.Page, email, password);
        await visitor.Page.WaitForURLAsync(new Regex(Regex.Escape(back) + "$"));
    }

    private static async Task EnterAsync(IPage page, string email, string password)
    {
        await page.GetByLabel("E-mail").FillAsync(email);
        await page.GetByLabel("Password").FillAsync(password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
    }

    private static async Task LookAsync(Visitor visitor, string path, string who = "people")
    {
        await visitor.OpenAsync(path);
        await visitor.ShouldPassAsync($"{who}-{Regex.Replace(path.Split('?')[0].Trim('/'), "[0-9a-f-]{36}", "one")}");
    }

    /// <summary>A table too wide for its place is reached by keyboard even when nothing in it can be pressed: here nothing can yet, for a viewer nothing ever can.</summary>
    private static async Task LookBeforeItIsLiveAsync(Visitor visitor, string path)
    {
        await visitor.Page.RouteAsync("**/_framework/blazor.web.js*", _ => Task.CompletedTask);
        await visitor.Page.GotoAsync(path, new PageGotoOptions { WaitUntil = WaitUntilState.Commit });
        await visitor.Page.Locator("main .table-wrap [data-waiting]").First.WaitForAsync();
        await visitor.ShouldPassAsync("people-apps-waiting");
    }

    private static async Task SignInAsync(Visitor visitor, string email, string password)
    {
        await visitor.OpenAsync("/account/sign-in");
        await EnterAsync(visitor.Page, email, password);
        await visitor.Page.WaitForURLAsync(new Regex("/(start|admin|apps|account)?$"));
    }

    private static Task<string> InvitationAsync(string folder) => Deadline.UntilAsync("the invitation is there", async () =>
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(folder, "mail"), "*.eml"))
            if (Regex.Match(await File.ReadAllTextAsync(file), "https?://[^\\s\"<>]+(/account/invitation[^\\s\"<>]*)") is { Success: true } link)
                return link.Groups[1].Value;
        return null;
    });
}
