using System.CommandLine;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Tollgate.Cli;

/// <summary>Asks the management API, with the token that a person or pipeline was given.</summary>
internal sealed class ManagementClient : IDisposable
{
    public static readonly Option<string?> Server = new("--server") { Description = "Address of the portal, such as https://portal.example.com; else TOLLGATE_URL, else http://localhost:8090.", Recursive = true };
    public static readonly Option<string?> Token = new("--token") { Description = "A token of the management API; else TOLLGATE_TOKEN, which other users of the machine cannot see.", Recursive = true };

    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(30);
    private readonly HttpClient _http;
    private readonly TextWriter _error;
    private readonly string _server;
    private readonly SignInStore? _signIns;

    private ManagementClient(string server, SignInStore? signIns, TextWriter error)
    {
        (_server, _signIns, _error) = (server, signIns, error);
        _http = new HttpClient { BaseAddress = new Uri(server + "/api/v1/"), Timeout = TimeSpan.FromSeconds(60) };
    }

    public static string ServerOf(ParseResult parsed) =>
        (parsed.GetValue(Server) ?? Environment.GetEnvironmentVariable("TOLLGATE_URL") ?? "http://localhost:8090").TrimEnd('/');

    /// <summary>With the token that was told, or else as the person who has signed in.</summary>
    public static ManagementClient Open(ParseResult parsed)
    {
        if ((parsed.GetValue(Token) ?? Environment.GetEnvironmentVariable("TOLLGATE_TOKEN")) is not { Length: > 0 } token) return OfSignIn(parsed);
        var client = new ManagementClient(ServerOf(parsed), null, parsed.InvocationConfiguration.Error);
        client._http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    /// <summary>As the person who has signed in, whatever token there is.</summary>
    public static ManagementClient OfSignIn(ParseResult parsed) => new(ServerOf(parsed), new SignInStore(), parsed.InvocationConfiguration.Error);

    /// <summary>The answer's body; null after a refusal, which has been said on standard error.</summary>
    public async Task<JsonElement?> AskAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancel, string? ifMatch = null, bool isQuiet = false)
    {
        try
        {
            await SignInAsync(cancel);
            using var request = new HttpRequestMessage(method, path) { Content = content };
            if (ifMatch is not null) request.Headers.TryAddWithoutValidation("If-Match", $"\"{ifMatch}\"");
            using var answer = await _http.SendAsync(request, cancel);
            var text = await answer.Content.ReadAsStringAsync(cancel);
            if (answer.IsSuccessStatusCode) return text.Length == 0 ? JsonElement.Parse("{}") : JsonElement.Parse(text);
            if (!isQuiet) await ExplainAsync((int)answer.StatusCode, text);
        }
        catch (SignInException no)
        {
            await _error.WriteLineAsync(no.Message);
        }
        catch (HttpRequestException away)
        {
            await _error.WriteLineAsync($"{_http.BaseAddress} cannot be reached: {away.Message} Say where the portal is with --server or TOLLGATE_URL.");
        }
        catch (JsonException)
        {
            await _error.WriteLineAsync($"{_http.BaseAddress} does not answer as a Tollgate portal does.");
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            await _error.WriteLineAsync($"{_http.BaseAddress} did not answer in time.");
        }

        return null;
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Shows who has signed in, with fresh tokens where the old ones are over.</summary>
    private async Task SignInAsync(CancellationToken cancel)
    {
        if (_signIns?.Find(_server) is not { } kept) return;
        if (kept.Expires - Margin <= DateTimeOffset.UtcNow)
        {
            using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(30) };
            kept = await _signIns.ChangeAsync(_server, async now =>
                now is null || now.Expires - Margin > DateTimeOffset.UtcNow ? now : await Issuer.RefreshAsync(http, now, cancel), cancel);
            if (kept is null) throw new SignInException("Your sign-in is over. Run: tollgate login");
        }

        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", kept.AccessToken);
        _http.DefaultRequestHeaders.Remove("Tollgate-Organisation");
        if (kept.Organisation is { } organisation) _http.DefaultRequestHeaders.Add("Tollgate-Organisation", organisation);
    }

    private async Task ExplainAsync(int status, string text)
    {
        JsonElement problem;
        try
        {
            problem = JsonElement.Parse(text);
        }
        catch (JsonException)
        {
            await _error.WriteLineAsync($"Refused with {status}.");
            return;
        }

        await _error.WriteLineAsync($"{problem.Text("title") ?? "Refused"} ({status}): {problem.Text("detail")}");
        if (status == 401) await _error.WriteLineAsync("Sign in with tollgate login, or give a token of the management API with TOLLGATE_TOKEN or --token.");
        foreach (var line in Lines(problem, "errors", mistake => $"  line {mistake.GetProperty("line")} {mistake.GetProperty("property").GetString()}: {mistake.GetProperty("sentence").GetString()}")) await _error.WriteLineAsync(line);
        foreach (var line in Lines(problem, "conflicts", conflict =>
            $"  line {conflict.GetProperty("line")}: {conflict.GetProperty("claim").GetString()} belongs to {conflict.GetProperty("owner").GetString()} (line {conflict.GetProperty("ownedLine")}: {conflict.GetProperty("owned").GetString()})"))
            await _error.WriteLineAsync(line);
    }

    private static IEnumerable<string> Lines(JsonElement problem, string name, Func<JsonElement, string> line) =>
        problem.ValueKind == JsonValueKind.Object && problem.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray().Select(line) : [];
}
