using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Shouldly;

namespace Tollgate.Testing;

/// <summary>A developer who uses the portal over plain HTTP: forms for the account, the management API for the rest.</summary>
public sealed partial class PortalPerson : IDisposable
{
    public const string Password = "a-long-Enough-passphrase-7";
    private readonly string _mailFolder;

    public PortalPerson(string portalUrl, string dataFolder)
    {
        _mailFolder = Path.Combine(dataFolder, "mail");
        Http = new HttpClient(new HttpClientHandler { CookieContainer = new CookieContainer() }) { BaseAddress = new Uri(portalUrl) };
    }

    public HttpClient Http { get; }

    public string Email { get; } = $"dev-{Guid.NewGuid():N}@example.com";

    /// <summary>Signs up, follows the link of the mail, and is signed in by it.</summary>
    public async Task JoinAsync()
    {
        await SubmitAsync("/account/sign-up", form => form.Fill("Email", Email).Fill("Password", Password).Fill("Organisation", "Acme " + Email[4..10]));
        await SubmitAsync(await LinkFromMailAsync(), form => form.Fill("Password", Password));
    }

    public Task SignInAsync(string email, string password) => SubmitAsync("/account/sign-in", form => form.Fill("Email", email).Fill("Password", password));

    /// <summary>Opens a page, fills its form in and sends it; follows where it leads.</summary>
    public async Task<HttpResponseMessage> SubmitAsync(string page, Func<HtmlForm, HtmlForm> fill)
    {
        using var opened = await Http.GetAsync(page);
        var html = await opened.Content.ReadAsStringAsync();
        opened.StatusCode.ShouldBe(HttpStatusCode.OK, html);
        var form = fill(HtmlForm.In(html, page));
        var answer = await Http.PostAsync(form.Action, form.Content);
        ((int)answer.StatusCode).ShouldBeLessThan(400, await answer.Content.ReadAsStringAsync());
        return answer;
    }

    public async Task<JsonElement> GetAsync(string path) => await JsonOf(await Http.GetAsync("/api/v1" + path));

    public async Task<JsonElement> PostAsync(string path, object body) => await JsonOf(await Http.PostAsJsonAsync("/api/v1" + path, body));

    public async Task<JsonElement> PutAsync(string path, object body) => await JsonOf(await Http.PutAsJsonAsync("/api/v1" + path, body));

    public async Task DeleteAsync(string path) => await JsonOf(await Http.DeleteAsync("/api/v1" + path));

    /// <summary>Makes an application, puts it on a plan of the demo product, and issues it a key.</summary>
    public async Task<Customer> SubscribeAsync(string plan)
    {
        var application = (await PostAsync("/applications", new { name = "App " + Guid.NewGuid().ToString("N")[..8] })).GetProperty("id").GetString()!;
        var subscription = (await PostAsync("/subscriptions", new { application, plan = await PlanAsync(plan) })).GetProperty("id").GetString()!;
        var key = await PostAsync($"/applications/{application}/keys", new { name = "first" });
        return new Customer(application, subscription, key.GetProperty("key").GetString()!, key.GetProperty("view").GetProperty("id").GetString()!);
    }

    /// <summary>The id of a plan of the demo product.</summary>
    public async Task<string> PlanAsync(string name) => (await GetAsync("/products")).EnumerateArray()
        .Single(product => product.GetProperty("name").GetString() == "weather").GetProperty("plans").EnumerateArray()
        .Single(plan => plan.GetProperty("name").GetString() == name).GetProperty("id").GetString()!;

    public void Dispose() => Http.Dispose();

    private async Task<string> LinkFromMailAsync() => await Deadline.UntilAsync($"a mail to {Email}", async () =>
    {
        foreach (var file in Directory.EnumerateFiles(_mailFolder, "*.eml"))
        {
            var mail = Decode(await File.ReadAllTextAsync(file));
            if (mail.Contains(Email, StringComparison.OrdinalIgnoreCase) && LinkPattern().Match(mail) is { Success: true } link)
                return new Uri(WebUtility.HtmlDecode(link.Value)).PathAndQuery;
        }

        return null;
    });

    /// <summary>Undoes quoted-printable (RFC 2045 §6.7), as far as links need it.</summary>
    private static string Decode(string mail) => mail.Contains("quoted-printable", StringComparison.OrdinalIgnoreCase)
        ? Regex.Replace(Regex.Replace(mail, "=\r?\n", ""), "=([0-9A-F]{2})", hex => ((char)Convert.ToInt32(hex.Groups[1].Value, 16)).ToString())
        : mail;

    private static async Task<JsonElement> JsonOf(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        answer.IsSuccessStatusCode.ShouldBeTrue($"{answer.RequestMessage!.Method} {answer.RequestMessage.RequestUri}: {(int)answer.StatusCode} {text}");
        return text.Length == 0 ? default : JsonDocument.Parse(text).RootElement.Clone();
    }

    [GeneratedRegex("https?://[^\\s\"<>]+/account/confirm[^\\s\"<>]*")]
    private static partial Regex LinkPattern();
}

/// <summary>What a subscribed application is known by.</summary>
public sealed record Customer(string Application, string Subscription, string Key, string KeyId);
