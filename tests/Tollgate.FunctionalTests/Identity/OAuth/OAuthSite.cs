using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>An identity service with clients that a bootstrap file declares, and a bare client for its endpoints.</summary>
internal sealed class OAuthSite : IAsyncDisposable
{
    public const string Issuer = "https://login.example.test";
    public const string Secret = "worker secret: with/odd+characters%";
    public const string Person = "ada@example.com";

    public const string File = $$"""
        {
          "users": [{ "email": "{{Person}}", "password": "{{Visitor.Password}}", "confirmed": true }],
          "scopes": [{ "name": "weather.read", "audience": "https://weather.example" }, { "name": "weather.write", "audience": "https://weather.example" },
                     { "name": "maps", "audience": "https://maps.example" }, { "name": "plain" }],
          "clients": [
            { "clientId": "worker", "secret": "{{Secret}}", "grants": ["client_credentials"], "scopes": ["weather.read", "maps", "openid"], "origins": ["https://app.example"] },
            { "clientId": "plain-worker", "secret": "another secret", "grants": ["client_credentials"], "scopes": ["plain"] },
            { "clientId": "weather-api", "secret": "api secret", "grants": [], "scopes": ["weather.read"], "introspect": true },
            { "clientId": "maps-api", "secret": "api secret", "grants": [], "scopes": ["maps"], "introspect": true },
            { "clientId": "platform", "secret": "platform secret", "grants": [], "introspect": true },
            { "clientId": "stranger", "secret": "stranger secret", "grants": [] },
            { "clientId": "web", "secret": "web secret", "grants": ["authorization_code", "refresh_token"], "scopes": ["openid", "profile", "email", "offline_access", "weather.read", "weather.write"],
              "redirectUris": ["https://app.example/cb", "https://app.example/cb?x=1"], "postLogoutRedirectUris": ["https://app.example/bye"], "origins": ["https://app.example"] },
            { "clientId": "asks", "secret": "asks secret", "grants": ["authorization_code", "refresh_token"], "scopes": ["openid", "weather.read", "offline_access"],
              "redirectUris": ["https://third.example/cb"], "consent": true },
            { "clientId": "spa", "public": true, "grants": ["authorization_code", "refresh_token"], "scopes": ["openid", "weather.read", "offline_access"],
              "redirectUris": ["http://127.0.0.1/cb"], "origins": ["https://spa.example"] }
          ]
        }
        """;

    private readonly TempFolder _files;

    private OAuthSite(IdentityHost host, TempFolder files)
    {
        (Host, _files) = (host, files);
        Http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = host.Url };
    }

    public IdentityHost Host { get; }
    public HttpClient Http { get; }

    public static async Task<OAuthSite> StartAsync(Shape shape = Shape.Sqlite, OAuthSite? beside = null, string file = File, params (string Key, string Value)[] settings)
    {
        var files = new TempFolder();
        try
        {
            return new OAuthSite(await IdentityHost.StartAsync(shape, beside?.Host,
                [.. settings.Any(s => s.Key == "Identity:Issuer") ? Array.Empty<(string, string)>() : [("Identity:Issuer", Issuer)], ("Identity:Bootstrap", files.Write("bootstrap.json", file)), .. settings]), files);
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    public async Task<Answer> PostAsync(string path, string form, string? authorization = null, string type = "application/x-www-form-urlencoded", string? origin = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(form, Encoding.UTF8) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);
        if (origin is not null) request.Headers.Add("Origin", origin);
        return await Answer.OfAsync(await Http.SendAsync(request));
    }

    public Task<Answer> TokenAsync(string form, string? authorization = null) => PostAsync("/connect/token", form, authorization);

    /// <summary>An access token of the worker.</summary>
    public async Task<string> WorkerTokenAsync(string more = "") =>
        (await TokenAsync("grant_type=client_credentials" + more, Basic("worker", Secret))).Text("access_token");

    public Task<Answer> IntrospectAsync(string token, string client = "weather-api", string secret = "api secret") =>
        PostAsync("/connect/introspect", Form(("token", token)), Basic(client, secret));

    public static string Basic(string client, string secret) =>
        "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{WebUtility.UrlEncode(client)}:{WebUtility.UrlEncode(secret)}"));

    public static string Form(params (string Name, string Value)[] fields) =>
        string.Join('&', fields.Select(f => $"{WebUtility.UrlEncode(f.Name)}={WebUtility.UrlEncode(f.Value)}"));

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Host.DisposeAsync();
        _files.Dispose();
    }
}

internal sealed record Answer(HttpStatusCode Status, HttpResponseHeaders Headers, string? ContentType, string Body)
{
    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    public static async Task<Answer> OfAsync(HttpResponseMessage response) =>
        new(response.StatusCode, response.Headers, response.Content.Headers.ContentType?.MediaType, await response.Content.ReadAsStringAsync());

    public string Text(string member) => Json.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()!
        : throw new ShouldAssertException($"There is no {member} in: {Body}");

    public void ShouldBeError(string error, int status = 400)
    {
        ((int)Status, Json.GetProperty("error").GetString()).ShouldBe((status, error), Body);
        Headers.CacheControl!.NoStore.ShouldBeTrue();
        Json.GetProperty("error_description").GetString()!.ShouldAllBe(c => c >= 0x20 && c <= 0x7e && c != '"' && c != '\\');
    }
}
