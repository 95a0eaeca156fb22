using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using Tollgate.Testing;

namespace Tollgate.E2ETests;

/// <summary>An account as a person lives it, in a real browser with an authenticator of its own.</summary>
public sealed class AccountTests(Browser browser) : IClassFixture<Browser>
{
    private const string Email = "ada@example.com";
    private const string Password = "three unrelated words 42";

    [Fact]
    public async Task A_person_registers_confirms_signs_in_with_a_code_and_with_a_passkey_and_signs_out_everywhere()
    {
        var port = FreePort.Next();
        var url = $"http://localhost:{port}";    // passkeys belong to names, not to addresses
        await using var host = await HostProcess.StartAsync(["--Listen:Portal", url], new Dictionary<string, string?> { ["ASPNETCORE_ENVIRONMENT"] = "Development" });
        await using var visitor = await browser.VisitAsync(url);
        var page = visitor.Page;
        foreach (var path in new[] { "/account/sign-in", "/account/sign-up", "/account/forgot", "/account/check-your-mail", "/account/passkey", "/account/sign-out", "/account/denied", "/account/reset?id=x&code=y" })
            await LookAsync(path);

        // Register and confirm.
        await visitor.OpenAsync("/account/sign-up");
        await page.Locator("#email").FillAsync(Email);
        await page.Locator("#organisation").FillAsync("Acme Forecasts");
        await page.Locator("#password").FillAsync(Password);
        await ClickAsync("Create account");
        await page.WaitForURLAsync(new Regex("/account/check-your-mail"));
        await Deadline.UntilAsync("the mail is there", async () =>
        {
            await visitor.OpenAsync("/dev/mail");
            return await page.GetByRole(AriaRole.Link, new() { NameRegex = new Regex("confirm", RegexOptions.IgnoreCase) }).CountAsync() > 0;
        });
        await page.GetByRole(AriaRole.Link, new() { NameRegex = new Regex("confirm", RegexOptions.IgnoreCase) }).First.ClickAsync();
        await page.Locator("a[href*='/account/confirm']").First.ClickAsync();
        await page.WaitForURLAsync(new Regex("/account/confirm"));
        await visitor.ShouldPassAsync("/account/confirm");
        await page.Locator("#password").FillAsync(Password);
        await ClickAsync("Confirm and sign in");
        await page.WaitForURLAsync(new Regex("/start"));

        // Two factors.
        await visitor.OpenAsync("/account/authenticator");
        await visitor.ShouldPassAsync("/account/authenticator");
        var key = Read(await page.Locator("code.key").InnerTextAsync());
        var step = Step();
        await page.Locator("#code").FillAsync(Code(key, step));
        await ClickAsync("Turn it on");
        await Assertions.Expect(page.Locator(".codes li")).ToHaveCountAsync(10);
        await visitor.ShouldPassAsync("/account/recovery-codes");
        await page.GetByRole(AriaRole.Link, new() { Name = "I have kept them" }).ClickAsync();

        // A passkey.
        var devtools = await page.Context.NewCDPSessionAsync(page);
        await devtools.SendAsync("WebAuthn.enable");
        var authenticator = await devtools.SendAsync("WebAuthn.addVirtualAuthenticator", new Dictionary<string, object>
        {
            ["options"] = new Dictionary<string, object>
            {
                ["protocol"] = "ctap2", ["transport"] = "internal", ["hasResidentKey"] = true, ["hasUserVerification"] = true,
                ["isUserVerified"] = true, ["automaticPresenceSimulation"] = true,
            },
        });
        await visitor.OpenAsync("/account/passkeys");
        await page.Locator("#name").FillAsync("Work laptop");
        await ClickAsync("Add a passkey");
        await Assertions.Expect(page.GetByText("The passkey is added.")).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator(".rows strong")).ToHaveTextAsync("Work laptop");
        await visitor.ShouldPassAsync("/account/passkeys");

        foreach (var path in new[] { "/account", "/account/password", "/account/sessions", "/account/tokens", "/account/delete", "/account/authenticator", "/organisation", "/organisation/audit" })
            await LookAsync(path);

        // In by password and code; nobody touches the passkey that the browser offers beside the addresses.
        await TouchAsync(false);
        await SignOutAsync();
        await visitor.OpenAsync("/account/sign-in");
        await page.Locator("#email").FillAsync(Email);
        await page.Locator("#password").FillAsync(Password);
        await ClickAsync("Sign in");
        await page.WaitForURLAsync(new Regex("/account/two-factor"));
        await visitor.ShouldPassAsync("/account/two-factor");
        await page.GetByRole(AriaRole.Link, new() { Name = "Use a recovery code" }).ClickAsync();
        await page.WaitForURLAsync(new Regex("/account/recovery"));
        await visitor.ShouldPassAsync("/account/recovery");
        await page.GetByRole(AriaRole.Link, new() { Name = "Use the app instead" }).ClickAsync();
        await page.WaitForURLAsync(new Regex("/account/two-factor"));    // both pages ask for a code
        await page.Locator("#code").FillAsync(Code(key, Math.Max(step + 1, Step())));
        await ClickAsync("Sign in");
        await page.WaitForURLAsync(new Regex("/start"));

        // In by the passkey that the browser offers on the page by itself.
        await SignOutAsync();
        await page.GotoAsync("about:blank");   // the page after signing out offers passkeys too
        await TouchAsync(true);
        await page.GotoAsync("/account/sign-in?returnUrl=%2Faccount%2Fsessions", new() { WaitUntil = WaitUntilState.Commit });   // the page may go on before it has loaded
        await page.WaitForURLAsync(new Regex("/account/sessions"));
        await Assertions.Expect(page.Locator(".rows").GetByText("with a passkey")).ToBeVisibleAsync();

        // In by the passkey at the press of a button, with another page of the same browser asking for one too; then out everywhere.
        await TouchAsync(false);
        await SignOutAsync();
        await visitor.OpenAsync("/account/sign-in");
        await page.GetByRole(AriaRole.Link, new() { Name = "Sign in with a passkey" }).ClickAsync();
        await page.WaitForURLAsync(new Regex("/account/passkey"));
        var other = await page.Context.NewPageAsync();
        await other.GotoAsync(url + "/account/sign-in");
        await other.CloseAsync();
        await TouchAsync(true);
        await ClickAsync("Use a passkey");
        await page.WaitForURLAsync(new Regex("/start"));
        await visitor.OpenAsync("/account/sessions");
        await Assertions.Expect(page.Locator(".rows").GetByText("with a passkey")).ToBeVisibleAsync();
        await TouchAsync(false);
        await ClickAsync("Sign out everywhere");
        await page.WaitForURLAsync(new Regex("/account/sign-in"));
        await visitor.OpenAsync("/account");
        page.Url.ShouldContain("/account/sign-in");
        visitor.Faults.Where(fault => !fault.Contains("status of 4", StringComparison.Ordinal)).ShouldBeEmpty();

        Task TouchAsync(bool touches) => devtools.SendAsync("WebAuthn.setAutomaticPresenceSimulation", new Dictionary<string, object>
        {
            ["authenticatorId"] = authenticator!.Value.GetProperty("authenticatorId").GetString()!, ["enabled"] = touches,
        });

        async Task LookAsync(string path)
        {
            await visitor.OpenAsync(path);
            await visitor.ShouldPassAsync(path.Split('?')[0]);
        }

        Task ClickAsync(string name) => page.Locator("main").GetByRole(AriaRole.Button, new() { Name = name, Exact = true }).ClickAsync();

        async Task SignOutAsync()
        {
            await visitor.OpenAsync("/account/sign-out");
            await ClickAsync("Sign out");
            await page.WaitForURLAsync(new Regex("signed-out"));
        }
    }

    private static long Step() => DateTimeOffset.UtcNow.ToUnixTimeSeconds() / 30;

    /// <summary>What the person's app shows (RFC 6238), by an implementation that is not the product's.</summary>
    private static string Code(byte[] key, long step)
    {
        var counter = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
#pragma warning disable CA5350 // the algorithm of authenticator apps
        var digest = HMACSHA1.HashData(key, counter);
#pragma warning restore CA5350
        var at = digest[^1] & 0xf;
        return ((BinaryPrimitives.ReadInt32BigEndian(digest.AsSpan(at)) & 0x7fffffff) % 1_000_000).ToString("D6", CultureInfo.InvariantCulture);
    }

    private static byte[] Read(string spelled)
    {
        var bits = string.Concat(spelled.Where(char.IsLetterOrDigit).Select(c => Convert.ToString("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".IndexOf(c, StringComparison.Ordinal), 2).PadLeft(5, '0')));
        return [.. Enumerable.Range(0, bits.Length / 8).Select(i => Convert.ToByte(bits.Substring(i * 8, 8), 2))];
    }
}
