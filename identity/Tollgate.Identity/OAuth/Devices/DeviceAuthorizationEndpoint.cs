using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Tollgate.Identity.Audit;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.OAuth.Tokens;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Devices;

/// <summary>Codes that people read off one screen and type on another: eight letters that make no words and look unlike each other (RFC 8628 §6.1).</summary>
internal static class UserCodes
{
    private const string Letters = "BCDFGHJKLMNPQRSTVWXZ";
    private const int Length = 8;

    public static string New() => new(RandomNumberGenerator.GetItems<char>(Letters, Length));

    /// <summary>As it is shown.</summary>
    public static string Show(string code) => $"{code[..4]}-{code[4..]}";

    /// <summary>However it was typed; null = no such code.</summary>
    public static string? Read(string typed)
    {
        var letters = new string([.. typed.ToUpperInvariant().Where(char.IsAsciiLetterOrDigit)]);
        return letters.Length == Length && letters.All(Letters.Contains) ? letters : null;
    }
}

/// <summary>Gives a device without a browser its two codes (RFC 8628 §3.1): <c>POST /connect/deviceauthorization</c>.</summary>
internal sealed class DeviceAuthorizationEndpoint(
    IdentityDb db, ClientAuthentication clients, ScopeBook scopes, Caller caller, AuditLog audit, TokenAudit tokenAudit, TokenLimits limits, IOptions<TollgateIdentityOptions> options, TimeProvider time)
{
    public static async Task<IResult> HandleAsync(HttpContext http, DeviceAuthorizationEndpoint endpoint, CancellationToken cancel)
    {
        var (answer, refusal) = await endpoint.AnswerAsync(http, cancel);
        return OAuthAnswers.Of(http, answer, refusal);
    }

    private async Task<(JsonObject? Answer, OAuthRefusal? Refusal)> AnswerAsync(HttpContext http, CancellationToken cancel)
    {
        var (form, client, refusal) = await clients.ReadAsync(http, cancel);
        if (form is null) return (null, refusal);
        JsonObject? answer = null;
        if (client is not null && (refusal = limits.Unproven(http.Connection.RemoteIpAddress, client.Client)) is null) (answer, refusal) = await BeginAsync(client, form, cancel);
        if (refusal is not null) tokenAudit.Refused(client?.Client.ClientId, refusal);
        return (answer, refusal);
    }

    private async Task<(JsonObject? Answer, OAuthRefusal? Refusal)> BeginAsync(KnownClient client, Parameters form, CancellationToken cancel)
    {
        if (!client.Client.Has(Grants.DeviceCode)) return (null, OAuthRefusal.UnauthorizedClient("The client may not use this grant."));
        var (granted, refusal) = await scopes.ResolveAsync(client.Client, form["scope"], await scopes.OfAsync(client.Client, cancel), form.Resources, cancel);
        if (granted is null) return (null, refusal);

        var (device, user, now) = (Secrets.New(), UserCodes.New(), time.GetUtcNow());
        db.Add(new DeviceRequest
        {
            Sha256 = Secrets.Sha256(device), UserCodeSha256 = Secrets.Sha256(user), ClientId = client.Client.ClientId, Scopes = [.. granted.Names],
            Resources = [.. form.Resources], Device = Shorten(form["device_name"] ?? caller.Agent), Address = caller.Address, Created = now,
            Expires = now.AddSeconds(options.Value.DeviceCodeLifetimeSeconds), IntervalSeconds = options.Value.DevicePollSeconds,
        });
        await audit.AddAsync(db, "device.asked", client.Client.ClientId, client.Organisation);
        await db.SaveChangesAsync(cancel);

        var page = options.Value.IssuerName.TrimEnd('/') + OAuthPaths.Device;
        return (new JsonObject
        {
            ["device_code"] = device,
            ["user_code"] = UserCodes.Show(user),
            ["verification_uri"] = page,
            ["verification_uri_complete"] = $"{page}?user_code={UserCodes.Show(user)}",
            ["expires_in"] = options.Value.DeviceCodeLifetimeSeconds,
            ["interval"] = options.Value.DevicePollSeconds,
        }, null);
    }

    private static string? Shorten(string? text) => text is { Length: > 100 } ? text[..100] : text;
}
