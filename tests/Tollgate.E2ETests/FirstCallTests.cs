using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Tollgate.Testing;

namespace Tollgate.E2ETests;

/// <summary>What Tollgate is for, as a person lives it: from the landing page to the line on the draft invoice, on the all-in-one as it starts.</summary>
public sealed partial class FirstCallTests(Browser browser) : IClassFixture<Browser>
{
    private const string Password = "three unrelated words 42";

    [Fact]
    public async Task A_developer_signs_up_gets_a_key_calls_is_limited_and_finds_calls_and_cost_on_chart_and_invoice()
    {
        await using var host = await StartAsync();
        await using var visitor = await browser.VisitAsync(host.PortalUrl);
        var page = visitor.Page;

        await visitor.OpenAsync("/");
        await visitor.PictureAsync("landing", fullPage: true);
        await page.Locator(".plan.popular a.button").First.ClickAsync();
        await SignUpAsync(visitor, host);

        await page.Locator("#app-name").FillAsync("Weather widget");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create application" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Subscribe to Pro" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Make a key" }).ClickAsync();
        var boxes = page.Locator(".codebox pre");
        var key = (await boxes.Nth(0).InnerTextAsync()).Trim();
        key.ShouldStartWith("tg_live_");
        var curl = await boxes.Nth(1).InnerTextAsync();
        curl.ShouldContain(key);
        await visitor.PictureAsync("first-call");

        using var caller = new HttpClient();
        var url = UrlPattern().Match(curl).Value.TrimEnd('"', '\'');
        await Deadline.UntilAsync("the key is admitted", async () => (await CallAsync(caller, url, key)).StatusCode == HttpStatusCode.OK);
        await Assertions.Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Your first call is in");
        await visitor.PictureAsync("first-call-seen", fullPage: true);

        // The plan admits 100 calls a minute; one is spent.
        var admitted = 1;
        HttpResponseMessage answer;
        while ((answer = await CallAsync(caller, url, key)).StatusCode == HttpStatusCode.OK) admitted++;
        var refusedAt = Stopwatch.GetTimestamp();
        await answer.ShouldBeProblemAsync(429, "rate-limited");
        var retryAfter = answer.Headers.RetryAfter!.Delta!.Value;
        retryAfter.ShouldBeInRange(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(62));    // the window, the part of it in which the first call fell, and what a gateway adds that was held up
        admitted.ShouldBeInRange(100, 200);   // 100 a window, and the calls may have begun in one and ended in the next

        await visitor.OpenAsync("/usage");
        await Assertions.Expect(page.Locator("[data-figure=calls]")).ToHaveTextAsync(admitted.ToString(CultureInfo.InvariantCulture));
        var owed = "€" + (29.00m + admitted * 0.01m).ToString("0.00", CultureInfo.InvariantCulture);
        await Assertions.Expect(page.Locator("[data-figure=cost]")).ToContainTextAsync(owed);
        await Assertions.Expect(page.Locator(".chart svg").First).ToBeVisibleAsync();
        await visitor.PictureAsync("usage", fullPage: true);

        await visitor.OpenAsync("/billing");
        await Assertions.Expect(page.Locator("[data-total=EUR]")).ToHaveTextAsync(owed);
        await Assertions.Expect(page.GetByText("Requests 1 to 20,000")).ToBeVisibleAsync();
        await visitor.PictureAsync("invoice", fullPage: true);

        // Who waits as long as was said gets in.
        var left = retryAfter - Stopwatch.GetElapsedTime(refusedAt);
        if (left > TimeSpan.Zero) await Sleep.ExactlyAsync(left);
        (await CallAsync(caller, url, key)).StatusCode.ShouldBe(HttpStatusCode.OK);
        visitor.Faults.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_admin_publishes_a_plan_and_sees_who_subscribes()
    {
        await using var host = await StartAsync("--Identity:AdminEmail", HostProcess.AdminEmail, "--Identity:AdminPassword", HostProcess.AdminPassword);
        await using var visitor = await browser.VisitAsync(host.PortalUrl);
        await visitor.OpenAsync("/account/sign-in");
        await visitor.Page.Locator("#email").FillAsync(HostProcess.AdminEmail);
        await visitor.Page.Locator("#password").FillAsync(HostProcess.AdminPassword);
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await visitor.Page.WaitForURLAsync(new Regex(Regex.Escape(host.PortalUrl) + "/start"));

        foreach (var (path, name, text) in new[]
        {
            ("/admin", "admin", "Organisations"),
            ("/admin/products", "admin-products", "Weather"),
            ("/admin/products/weather", "admin-product", "Business"),
            ("/admin/products/weather/subscribers", "admin-subscribers", "Demo"),
            ("/admin/organisations", "admin-organisations", "Platform"),
        })
        {
            await visitor.OpenAsync(path);
            await Assertions.Expect(visitor.Page.Locator("main").GetByText(text).First).ToBeVisibleAsync();
            await visitor.PictureAsync(name, fullPage: true);
        }

        await NothingTypedIsLostAsync(visitor.Page);
        await NothingPressedIsLostAsync(visitor);
        visitor.Faults.ShouldBeEmpty();
    }

    /// <summary>On a slow line the page is there before its circuit is: its form takes nothing that it would lose.</summary>
    private static async Task NothingTypedIsLostAsync(IPage page)
    {
        var arrives = new TaskCompletionSource();
        await page.RouteAsync("**/_framework/blazor.web.js*", async route =>
        {
            await arrives.Task;
            await route.ContinueAsync();
        });
        await page.GotoAsync("/admin/products/new", new PageGotoOptions { WaitUntil = WaitUntilState.Commit });
        var name = page.Locator("main input").First;
        await Assertions.Expect(name).ToBeDisabledAsync();
        arrives.SetResult();
        await name.FillAsync("orders");
        await page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        await Assertions.Expect(name).ToHaveValueAsync("orders");
        await Assertions.Expect(page.Locator("[data-waiting]")).ToHaveCountAsync(0);
    }

    /// <summary>Who goes from one live page to another meets controls that wait until the circuit has brought them to life.</summary>
    private static async Task NothingPressedIsLostAsync(Visitor visitor)
    {
        var page = visitor.Page;
        var line = new HeldLine();
        await page.RouteWebSocketAsync("**/_blazor**", line.Connect);
        await visitor.OpenAsync("/admin/organisations");
        await Assertions.Expect(page.Locator("main table")).ToBeVisibleAsync();
        line.Hold();
        await page.Locator("main table a[href^='/admin/organisations/']").First.ClickAsync();
        var suspend = page.GetByRole(AriaRole.Button, new() { Name = "Suspend the organisation" });
        await Assertions.Expect(suspend).ToBeDisabledAsync();
        line.Release();
        await suspend.ClickAsync();
        await Assertions.Expect(page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Keep it" }).ClickAsync();
        await page.GetByRole(AriaRole.Navigation, new() { Name = "Platform" }).GetByRole(AriaRole.Link, new() { Name = "Products" }).ClickAsync();
        await page.Locator("main table a[href='/admin/products/weather']").ClickAsync();   // the page that is being left has links to Weather too
        await page.GetByRole(AriaRole.Button, new() { Name = "New plan" }).ClickAsync();
        await Assertions.Expect(page.Locator("#plan-title")).ToBeEditableAsync();
        await Assertions.Expect(page.Locator("[data-waiting]")).ToHaveCountAsync(0);
    }

    [Theory]
    [InlineData(390, ColorScheme.Dark)]
    [InlineData(390, ColorScheme.Light)]
    [InlineData(1280, ColorScheme.Dark)]
    public async Task Every_page_fits_its_screen_by_day_and_night(int width, ColorScheme scheme)
    {
        await using var host = await StartAsync();
        await using var visitor = await browser.VisitAsync(host.PortalUrl, width, 844, scheme);
        foreach (var path in new[] { "/", "/apis/weather", "/account/sign-in", "/account/forgot" }) await LookAsync(path);
        await visitor.OpenAsync("/account/sign-up");
        await SignUpAsync(visitor, host);
        await visitor.Page.Locator("#app-name").FillAsync("Weather widget");
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Create application" }).ClickAsync();
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Choose Free" }).ClickAsync();
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Make a key" }).ClickAsync();
        await visitor.Page.Locator(".codebox pre").Nth(1).WaitForAsync();
        foreach (var path in new[] { "/start", "/apps", "/usage", "/billing", "/no-such-page" }) await LookAsync(path);
        visitor.Faults.Where(fault => !fault.Contains("404", StringComparison.Ordinal)).ShouldBeEmpty();

        async Task LookAsync(string path)
        {
            await visitor.OpenAsync(path);
            await visitor.ShouldFitAsync($"{path} at {width} px");
            await visitor.PictureAsync($"look-{scheme.ToString().ToLowerInvariant()}-{width}{path.Replace('/', '-')}", fullPage: true);
        }
    }

    private static Task<HostProcess> StartAsync(params string[] arguments) =>
        HostProcess.StartAsync(arguments, new Dictionary<string, string?> { ["ASPNETCORE_ENVIRONMENT"] = "Development" });

    /// <summary>From the sign-up form, over the mail, to the page that follows.</summary>
    private static async Task SignUpAsync(Visitor visitor, HostProcess host)
    {
        var page = visitor.Page;
        await page.Locator("#email").FillAsync("ada@example.com");
        await page.Locator("#organisation").FillAsync("Acme Forecasts");
        await page.Locator("#password").FillAsync(Password);
        await visitor.PictureAsync("sign-up");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create account" }).ClickAsync();
        await page.WaitForURLAsync(new Regex("/account/check-your-mail"));
        await Deadline.UntilAsync("the mail is there", async () =>
        {
            await visitor.OpenAsync("/dev/mail");
            return await page.GetByRole(AriaRole.Link, new() { NameRegex = new Regex("confirm", RegexOptions.IgnoreCase) }).CountAsync() > 0;
        });
        await page.GetByRole(AriaRole.Link, new() { NameRegex = new Regex("confirm", RegexOptions.IgnoreCase) }).First.ClickAsync();
        await visitor.PictureAsync("mail");
        await page.Locator("a[href*='/account/confirm']").First.ClickAsync();
        await page.WaitForURLAsync(new Regex("/account/confirm"));
        await page.Locator("#password").FillAsync(Password);
        await page.GetByRole(AriaRole.Button, new() { Name = "Confirm and sign in" }).ClickAsync();
        await page.WaitForURLAsync(new Regex(Regex.Escape(host.PortalUrl) + "/start"));
        await page.WaitForLoadStateAsync(LoadState.NetworkIdle);
    }

    private static async Task<HttpResponseMessage> CallAsync(HttpClient caller, string url, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Add("X-Api-Key", key);
        return await caller.SendAsync(request);
    }

    [GeneratedRegex("http://[^\\s]+")]
    private static partial Regex UrlPattern();
}
