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

        await using var admins = await browser.VisitAsync(host.PortalUrl);
        await SignInAsync(admins, HostProcess.AdminEmail, HostProcess.AdminPassword);
        foreach (var path in new[] { "/admin/staff", "/admin/audit", "/admin/clients", "/admin/organisations", "/account/tokens" }) await LookAsync(admins, path, "admin");
        customers.Faults.Concat(admins.Faults).ShouldBeEmpty();
    }

    private static async Task LookAsync(Visitor visitor, string path, string who = "people")
    {
        await visitor.OpenAsync(path);
        await visitor.ShouldPassAsync($"{who}-{Regex.Replace(path.Split('?')[0].Trim('/'), "[0-9a-f-]{36}", "one")}");
    }

    private static async Task SignInAsync(Visitor visitor, string email, string password)
    {
        await visitor.OpenAsync("/account/sign-in");
        await visitor.Page.GetByLabel("E-mail").FillAsync(email);
        await visitor.Page.GetByLabel("Password").FillAsync(password);
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
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
