using System.Net;
using System.Text.RegularExpressions;

namespace Tollgate.FunctionalTests.Identity;

/// <summary>Somebody with a browser that has cookies and no script.</summary>
internal sealed partial class Visitor(Uri site) : IDisposable
{
    public const string Password = "plum orbit velvet canoe";

    private readonly HttpClientHandler _handler = new() { AllowAutoRedirect = false, CookieContainer = new CookieContainer() };
    private HttpClient? _http;

    public CookieCollection Cookies => _handler.CookieContainer.GetCookies(site);

    private HttpClient Http => _http ??= new HttpClient(_handler) { BaseAddress = site };

    /// <summary>A person with a confirmed account, signed in.</summary>
    public static async Task<Visitor> SignedUpAsync(IdentityHost host, string email, string organisation = "Acme")
    {
        var visitor = new Visitor(host.Url);
        await visitor.SignUpAsync(email, Password, organisation);
        await visitor.ConfirmAsync(LinkIn(await host.MailAsync(email, "Confirm your address")), Password);
        return visitor;
    }

    public void SetCookie(string name, string value) => _handler.CookieContainer.Add(site, new Cookie(name, value, "/"));

    public Task<HttpResponseMessage> GetAsync(string path) => Http.GetAsync(path);

    public Task<string> GetStringAsync(string path) => Http.GetStringAsync(path);

    /// <summary>Loads the page, fills its form in and sends it, hidden fields and all.</summary>
    public async Task<HttpResponseMessage> SubmitAsync(string page, params (string Name, string Value)[] fields)
    {
        return await SubmitHtmlAsync(await Http.GetStringAsync(page), fields);
    }

    /// <summary>Sends the form of a page that came as an answer.</summary>
    public async Task<HttpResponseMessage> SubmitHtmlAsync(string html, params (string Name, string Value)[] fields)
    {
        var form = FormPattern().Match(html);
        var values = HiddenPattern().Matches(form.Value)
            .ToDictionary(m => m.Groups["name"].Value, m => WebUtility.HtmlDecode(m.Groups["value"].Value));
        foreach (var (name, value) in fields) values[name] = value;
        return await Http.PostAsync(form.Groups["action"].Value, new FormUrlEncodedContent(values));
    }

    /// <summary>Sends a form as another site would make it: with the cookies, without having seen the page.</summary>
    public Task<HttpResponseMessage> PostBlindlyAsync(string path, HttpContent content) => Http.PostAsync(path, content);

    public Task<HttpResponseMessage> SignUpAsync(string email, string password, string organisation) =>
        SubmitAsync("/account/sign-up", ("email", email), ("password", password), ("organisation", organisation));

    public Task<HttpResponseMessage> ConfirmAsync(string link, string password) => SubmitAsync(new Uri(link).PathAndQuery, ("password", password));

    public Task<HttpResponseMessage> SignInAsync(string email, string password = Password, string query = "") =>
        SubmitAsync("/account/sign-in" + query, ("email", email), ("password", password));

    /// <summary>Sends the form of a page that posts to an address, where the page has several.</summary>
    public async Task<HttpResponseMessage> SubmitToAsync(string page, string action, params (string Name, string Value)[] fields)
    {
        var html = await Http.GetStringAsync(page);
        var form = FormPattern().Matches(html).First(f => f.Groups["action"].Value == action);
        var values = HiddenPattern().Matches(form.Value)
            .Select(m => KeyValuePair.Create(m.Groups["name"].Value, WebUtility.HtmlDecode(m.Groups["value"].Value)))
            .Where(v => fields.All(f => f.Name != v.Key)).ToList();
        values.AddRange(fields.Select(f => KeyValuePair.Create(f.Name, f.Value)));
        return await Http.PostAsync(action, new FormUrlEncodedContent(values));
    }

    public static string LinkIn(string mail) => LinkPattern().Match(mail).Value;

    public void Dispose()
    {
        _http?.Dispose();
        _handler.Dispose();
    }

    [GeneratedRegex("<form method=\"post\" action=\"(?<action>[^\"]+)\"[^>]*>.*?</form>", RegexOptions.Singleline)]
    private static partial Regex FormPattern();

    [GeneratedRegex("<input type=\"hidden\" name=\"(?<name>[^\"]+)\" value=\"(?<value>[^\"]*)\"")]
    private static partial Regex HiddenPattern();

    [GeneratedRegex(@"(?<=\n)http://localhost:8090/account/(confirm|reset|invitation)\S+(?=\r\n)")]
    private static partial Regex LinkPattern();
}
