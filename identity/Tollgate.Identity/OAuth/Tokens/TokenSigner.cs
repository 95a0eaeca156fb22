using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Tollgate.Identity.OAuth.Keys;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.ServiceDefaults.Jose;

namespace Tollgate.Identity.OAuth.Tokens;

/// <summary>Writes our JWTs, and reads them back. A token that comes back is believed for our own signature alone: nothing in its header but the name of a key of ours counts.</summary>
internal sealed class TokenSigner(SigningKeys keys, IOptions<TollgateIdentityOptions> options, TimeProvider time)
{
    public const string AccessToken = "at+jwt";   // RFC 9068 §2.1
    public const string IdToken = "JWT";
    public const string LogoutToken = "logout+jwt";   // Back-Channel Logout §2.4

    /// <param name="algorithm">Null = RS256.</param>
    public async ValueTask<string> SignAsync(string type, string? algorithm, JsonObject claims, CancellationToken cancel)
    {
        var signer = (await keys.GetAsync(cancel)).Signer(algorithm);
        var header = new JsonObject { ["alg"] = signer.Algorithm, ["typ"] = type, ["kid"] = signer.Kid };
        var unsigned = $"{Encode(header)}.{Encode(claims)}";
        return $"{unsigned}.{Base64Url.EncodeToString(signer.Sign(Encoding.ASCII.GetBytes(unsigned)))}";

        static string Encode(JsonObject json) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(json, OAuthAnswers.Plain));
    }

    /// <summary>The claims of a token of ours that has not expired; null for everything else.</summary>
    public ValueTask<JsonElement?> ReadAsync(string token, string type, CancellationToken cancel) => ReadAsync(token, type, orExpired: false, cancel);

    /// <param name="orExpired">Take one whose time is over too, as a hint of who it was (RP-Initiated Logout §2).</param>
    public async ValueTask<JsonElement?> ReadAsync(string token, string type, bool orExpired, CancellationToken cancel)
    {
        if (CompactJwt.Read(token) is not { } jwt || jwt.Type != type || jwt.Kid is not { } kid || (await keys.GetAsync(cancel)).Find(kid) is not { } key
            || jwt.Algorithm != key.Algorithm || !key.Verify(jwt.Signed, jwt.Signature))
            return null;
        return jwt.Text("iss") == options.Value.IssuerName && jwt.Moment("exp") is { } expires && (orExpired || expires > time.GetUtcNow()) ? jwt.Claims : null;
    }

    public static string? Text(JsonElement json, string name) => CompactJwt.Text(json, name);
}
