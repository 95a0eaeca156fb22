using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.ServiceDefaults.Jose;

namespace Tollgate.Identity.OAuth.Dpop;

/// <summary>Checks that who shows a token, or asks for one, holds a key (RFC 9449 §4.3). A proof is for one request, and is taken once.</summary>
internal sealed class DpopProofs(SeenTokens seen, IDataProtectionProvider protection, IOptions<TollgateIdentityOptions> options, TimeProvider time)
{
    public const string Header = DpopProof.Header;
    public const string NonceHeader = "DPoP-Nonce";
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
    public Task<(string? Key, OAuthRefusal? Refusal)> CheckAsync(HttpContext http, string path, string? accessToken, CancellationToken cancel) =>
        CheckAtAsync(http, options.Value.IssuerName.TrimEnd('/') + path, accessToken, cancel);

    /// <summary>As <see cref="CheckAsync"/>, of an endpoint that is not below the issuer.</summary>
    /// <param name="address">Where it is for those who ask.</param>
    public async Task<(string? Key, OAuthRefusal? Refusal)> CheckAtAsync(HttpContext http, string address, string? accessToken, CancellationToken cancel)
    {
        if (DpopProof.Read(http.Request.Headers[Header].ToString(), out var wrong) is not { } proof) return (null, Bad(wrong));
        var now = time.GetUtcNow();
        if (proof.Refute(http.Request.Method, address, now, accessToken) is { } reason) return (null, Bad(reason));
        if (options.Value.DpopNonceRequired && !IsOurs(proof.Nonce, now))
        {
            http.Response.Headers[NonceHeader] = NewNonce(now);
            return (null, new OAuthRefusal("use_dpop_nonce", "Send the proof again with the nonce of this answer."));
        }

        if (proof.Nonce is { } nonce && !IsOurs(nonce, now)) return (null, Bad("The nonce of the DPoP proof is not of this server."));
        return await seen.IsFirstAsync(SeenTokens.Dpop, proof.Thumbprint, proof.Jti, proof.Made + DpopProof.OldAtMost + DpopProof.Skew + DpopProof.Skew, cancel)
            ? (proof.Thumbprint, null)
            : (null, Bad("The DPoP proof was used before."));
    }

    private static OAuthRefusal Bad(string description) => new("invalid_dpop_proof", description);

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
