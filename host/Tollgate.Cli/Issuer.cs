using System.Net.Http.Json;
using System.Text.Json;

namespace Tollgate.Cli;

/// <summary>The authorization server that a portal names, as far as the command line needs it: device flow (RFC 8628), refresh, revocation.</summary>
internal sealed class Issuer(HttpClient http, string name, string deviceEndpoint, string tokenEndpoint, string? revocationEndpoint)
{
    private const string Client = "tollgate-cli";
    private const string DeviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

    /// <summary>Asks the portal who signs people in for it (RFC 9728), and that server where to go (RFC 8414). Each must say its own name.</summary>
    public static async Task<Issuer> FindAsync(HttpClient http, string server, CancellationToken cancel)
    {
        var resource = await GetAsync(http, $"{server}/.well-known/oauth-protected-resource/api/v1", cancel);
        var name = resource.GetProperty("authorization_servers")[0].GetString()!;
        var metadata = await GetAsync(http, name.TrimEnd('/') + "/.well-known/openid-configuration", cancel);
        if (metadata.Text("issuer") != name) throw new SignInException($"{name} calls itself {metadata.Text("issuer")}.");
        return new Issuer(http, name, metadata.Text("device_authorization_endpoint") ?? throw new SignInException($"{name} offers no sign-in for devices."),
            metadata.Text("token_endpoint")!, metadata.Text("revocation_endpoint"));
    }

    /// <summary>Lets a person in: shows where to go and what code to compare, and waits until they have decided.</summary>
    public async Task<SignIn> SignInAsync(IEnumerable<string> scopes, Action<DeviceCode> show, CancellationToken cancel)
    {
        var (ok, asked) = await PostAsync(deviceEndpoint, cancel, ("client_id", Client), ("scope", string.Join(' ', ["openid", "offline_access", "org", .. scopes])),
            ("device_name", $"tollgate on {Environment.MachineName}"));
        if (!ok) throw new SignInException(Say(asked));
        show(new DeviceCode(asked.Text("user_code")!, asked.Text("verification_uri")!, asked.Text("verification_uri_complete") ?? asked.Text("verification_uri")!,
            TimeSpan.FromSeconds(asked.GetProperty("expires_in").GetInt32())));

        var pause = TimeSpan.FromSeconds(asked.TryGetProperty("interval", out var interval) ? interval.GetInt32() : 5);
        while (true)
        {
            await Task.Delay(pause, cancel);
            var (given, answer) = await PostAsync(tokenEndpoint, cancel, ("grant_type", DeviceGrant), ("client_id", Client), ("device_code", asked.Text("device_code")!));
            if (given) return Read(answer, null);
            switch (answer.Text("error"))
            {
                case "authorization_pending": break;
                case "slow_down": pause += TimeSpan.FromSeconds(5); break;
                case "access_denied": throw new SignInException("You refused it on the page.");
                case "expired_token": throw new SignInException("Nobody let it in in time. Begin again.");
                default: throw new SignInException(Say(answer));
            }
        }
    }

    /// <summary>Fresh tokens for old ones; null = the sign-in is over.</summary>
    public static async Task<SignIn?> RefreshAsync(HttpClient http, SignIn old, CancellationToken cancel)
    {
        if (old.RefreshToken is not { } token) return null;
        var issuer = new Issuer(http, old.Issuer, "", old.TokenEndpoint, old.RevocationEndpoint);
        var (ok, answer) = await issuer.PostAsync(old.TokenEndpoint, cancel, ("grant_type", "refresh_token"), ("client_id", Client), ("refresh_token", token));
        return ok ? issuer.Read(answer, old.Organisation) : answer.Text("error") is "invalid_grant" or "invalid_client" or "unauthorized_client" ? null : throw new SignInException(Say(answer));
    }

    /// <summary>Ends a sign-in on the server.</summary>
    public static async Task RevokeAsync(HttpClient http, SignIn old, CancellationToken cancel)
    {
        if (old.RevocationEndpoint is not { } endpoint) return;
        using var answer = await http.PostAsync(endpoint, new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["client_id"] = Client, ["token"] = old.RefreshToken ?? old.AccessToken,
        }), cancel);
        answer.EnsureSuccessStatusCode();
    }

    private SignIn Read(JsonElement answer, string? organisation) => new(name, tokenEndpoint, revocationEndpoint, answer.Text("access_token")!,
        DateTimeOffset.UtcNow.AddSeconds(answer.GetProperty("expires_in").GetInt32()), answer.Text("refresh_token"), organisation);

    private static async Task<JsonElement> GetAsync(HttpClient http, string address, CancellationToken cancel)
    {
        using var answer = await http.GetAsync(address, cancel);
        if (!answer.IsSuccessStatusCode) throw new SignInException($"{address} answers {(int)answer.StatusCode}: is it the address of a Tollgate portal?");
        return await answer.Content.ReadFromJsonAsync<JsonElement>(cancel);
    }

    private async Task<(bool Ok, JsonElement Answer)> PostAsync(string address, CancellationToken cancel, params (string Name, string Value)[] fields)
    {
        using var answer = await http.PostAsync(address, new FormUrlEncodedContent(fields.Select(f => KeyValuePair.Create(f.Name, f.Value))), cancel);
        return (answer.IsSuccessStatusCode, await answer.Content.ReadFromJsonAsync<JsonElement>(cancel));
    }

    private static string Say(JsonElement refusal) => $"{refusal.Text("error_description") ?? "It was refused."} ({refusal.Text("error")})";
}

/// <summary>What a person compares and types.</summary>
internal sealed record DeviceCode(string UserCode, string Page, string PageWithCode, TimeSpan Lives);

/// <summary>Why somebody is not let in, in a sentence.</summary>
internal sealed class SignInException(string sentence) : Exception(sentence);
