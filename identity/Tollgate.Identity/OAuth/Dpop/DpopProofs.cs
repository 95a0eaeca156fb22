using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Protocol;

namespace Tollgate.Identity.OAuth.Dpop;

/// <summary>Checks that who shows a token, or asks for one, holds a key (RFC 9449 §4.3). A proof is for one request, and is taken once.</summary>
internal sealed class DpopProofs(SeenTokens seen, IDataProtectionProvider protection, IOptions<TollgateIdentityOptions> options, TimeProvider time)
{
    public const string Header = "DPoP";
    public const string NonceHeader = "DPoP-Nonce";
    private const string Type = "dpop+jwt";
    private const int MaxProofLength = 4_000;
    private const int MaxJtiLength = 256;
    private static readonly TimeSpan OldAtMost = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan NonceLifetime = TimeSpan.FromMinutes(5);

    private readonly IDataProtector _nonces = protection.CreateProtector("Tollgate.Identity.DpopNonce");

    /// <summary>The thumbprint of the key that a token shall be bound to; null = the client asks for a token of the bearer.</summary>
    public async Task<(string? Key, OAuthRefusal? Refusal)> AtTokenEndpointAsync(HttpContext http, OAuthClient client, CancellationToken cancel)
    {
        if (http.Request.Headers[Header].Count == 0)
            return client.RequiresDpop ? (null, Bad("This client must send a DPoP proof.")) : (null, null);
        return await CheckAsync(http, OAuthPaths.Token, null, cancel);
    }

    /// <summary>Checks the one proof of a request.</summary>
    /// <param name="path">The endpoint, below the issuer: where the request was sent, whatever its Host header says.</param>
    /// <param name="accessToken">The token that is shown with it.</param>
    public async Task<(string? Key, OAuthRefusal? Refusal)> CheckAsync(HttpContext http, string path, string? accessToken, CancellationToken cancel)
    {
        if (http.Request.Headers[Header] is not [{ Length: > 0 and <= MaxProofLength } text] || text.Contains(',')) return (null, Bad("Send one DPoP proof."));
        if (CompactJwt.Read(text) is not { } proof || proof.Type != Type) return (null, Bad("The DPoP proof is no dpop+jwt."));
        if (!proof.Header.TryGetProperty("jwk", out var jwk) || PublicJwk.Read(jwk) is not { } key || !key.Verify(proof))
            return (null, Bad("The DPoP proof is not signed by the public key in its header, with RS256, PS256 or ES256."));
        if (proof.Text("htm") != http.Request.Method) return (null, Bad("The DPoP proof is for another method."));
        if (!IsSame(proof.Text("htu"), options.Value.IssuerName.TrimEnd('/') + path)) return (null, Bad("The DPoP proof is for another address."));

        var now = time.GetUtcNow();
        if (proof.Moment("iat") is not { } made || made < now - OldAtMost - Skew || made > now + Skew) return (null, Bad("The DPoP proof is too old, or of the future."));
        if (accessToken is not null && (proof.Text("ath") is not { Length: < 100 } ath || !Secrets.Same(ath, Hash(accessToken))))
            return (null, Bad("The DPoP proof is for another token."));
        if (proof.Text("jti") is not { Length: > 0 and <= MaxJtiLength } jti) return (null, Bad("The DPoP proof has no jti."));
        if (options.Value.DpopNonceRequired && !IsOurs(proof.Text("nonce"), now))
        {
            http.Response.Headers[NonceHeader] = NewNonce(now);
            return (null, new OAuthRefusal("use_dpop_nonce", "Send the proof again with the nonce of this answer."));
        }

        if (proof.Text("nonce") is { } nonce && !IsOurs(nonce, now)) return (null, Bad("The nonce of the DPoP proof is not of this server."));
        return await seen.IsFirstAsync(SeenTokens.Dpop, key.Thumbprint, jti, made + OldAtMost + Skew + Skew, cancel)
            ? (key.Thumbprint, null)
            : (null, Bad("The DPoP proof was used before."));
    }

    private static OAuthRefusal Bad(string description) => new("invalid_dpop_proof", description);

    private static string Hash(string token) => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(token)));

    /// <summary>Without query and fragment, scheme and host in any case (RFC 9449 §4.3, RFC 3986 §6.2).</summary>
    private static bool IsSame(string? told, string ours) =>
        Uri.TryCreate(told, UriKind.Absolute, out var one) && one.UserInfo.Length == 0 && Uri.TryCreate(ours, UriKind.Absolute, out var other)
        && one.GetLeftPart(UriPartial.Path) == other.GetLeftPart(UriPartial.Path);

    private string NewNonce(DateTimeOffset now) => _nonces.Protect(now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture));

    private bool IsOurs(string? nonce, DateTimeOffset now)
    {
        if (nonce is not { Length: > 0 and < 500 }) return false;
        try
        {
            return long.TryParse(_nonces.Unprotect(nonce), CultureInfo.InvariantCulture, out var made) && now - DateTimeOffset.FromUnixTimeSeconds(made) < NonceLifetime;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}
