using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tollgate.Identity.OAuth.Keys;
using Microsoft.Extensions.Options;

namespace Tollgate.Identity.OAuth.Tokens;

/// <summary>Writes our JWTs, and reads them back. A token that comes back is believed for our own signature alone: nothing in its header but the name of a key of ours counts.</summary>
internal sealed class TokenSigner(SigningKeys keys, IOptions<TollgateIdentityOptions> options, TimeProvider time)
{
    public const string AccessToken = "at+jwt";   // RFC 9068 §2.1
    public const string IdToken = "JWT";

    /// <param name="algorithm">Null = RS256.</param>
    public async ValueTask<string> SignAsync(string type, string? algorithm, JsonObject claims, CancellationToken cancel)
    {
        var signer = (await keys.GetAsync(cancel)).Signer(algorithm);
        var header = new JsonObject { ["alg"] = signer.Algorithm, ["typ"] = type, ["kid"] = signer.Kid };
        var unsigned = $"{Encode(header)}.{Encode(claims)}";
        return $"{unsigned}.{Base64Url.EncodeToString(signer.Sign(Encoding.ASCII.GetBytes(unsigned)))}";

        static string Encode(JsonObject json) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(json));
    }

    /// <summary>The claims of a token of ours that has not expired; null for everything else.</summary>
    public ValueTask<JsonElement?> ReadAsync(string token, string type, CancellationToken cancel) => ReadAsync(token, type, orExpired: false, cancel);

    /// <param name="orExpired">Take one whose time is over too, as a hint of who it was (RP-Initiated Logout §2).</param>
    public async ValueTask<JsonElement?> ReadAsync(string token, string type, bool orExpired, CancellationToken cancel)
    {
        if (token.Length > Protocol.InputLimits.Jwt || token.Split('.') is not [var head, var body, var signature]) return null;
        try
        {
            using var header = JsonDocument.Parse(Base64Url.DecodeFromChars(head));
            if (Text(header.RootElement, "typ") != type || header.RootElement.TryGetProperty("crit", out _)
                || Text(header.RootElement, "kid") is not { } kid
                || (await keys.GetAsync(cancel)).Find(kid) is not { } key
                || Text(header.RootElement, "alg") != key.Algorithm
                || !key.Verify(Encoding.ASCII.GetBytes($"{head}.{body}"), Base64Url.DecodeFromChars(signature)))
                return null;

            using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(body));
            var root = claims.RootElement;
            return Text(root, "iss") == options.Value.IssuerName && (orExpired || root.GetProperty("exp").GetInt64() > time.GetUtcNow().ToUnixTimeSeconds())
                ? root.Clone()
                : null;
        }
        catch (Exception bad) when (bad is FormatException or JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    public static string? Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
