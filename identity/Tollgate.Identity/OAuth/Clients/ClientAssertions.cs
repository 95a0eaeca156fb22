using System.Text.Json;
using Microsoft.Extensions.Options;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.ServiceDefaults.Jose;

namespace Tollgate.Identity.OAuth.Clients;

/// <summary>
/// A client proves itself with a JWT that it has signed with a key of its own (RFC 7523 §3, <c>private_key_jwt</c>): for this issuer, for a few
/// minutes, once.
/// </summary>
internal sealed class ClientAssertions(SeenTokens seen, PublishedKeys published, IOptions<TollgateIdentityOptions> options, TimeProvider time)
{
    public const string Type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    private const int MaxJtiLength = 256;
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(60);

    /// <summary>The client that an assertion speaks of, nothing of it believed yet.</summary>
    public static string? ClientOf(string assertion) =>
        CompactJwt.Read(assertion) is { } jwt && jwt.Text("sub") is { Length: > 0 } sub && jwt.Text("iss") == sub ? sub : null;

    public async Task<bool> ProvesAsync(OAuthClient client, string assertion, CancellationToken cancel)
    {
        if (!client.HasKeys || CompactJwt.Read(assertion) is not { } jwt) return false;
        if (jwt.Text("iss") != client.ClientId || jwt.Text("sub") != client.ClientId || !IsForUs(jwt.Claims)) return false;

        var now = time.GetUtcNow();
        if (jwt.Moment("exp") is not { } expires || expires <= now - Skew || expires > now.AddSeconds(options.Value.ClientAssertionMaxLifetimeSeconds) + Skew) return false;
        if (jwt.Moment("nbf") > now + Skew || jwt.Moment("iat") > now + Skew) return false;
        if (jwt.Text("jti") is not { Length: > 0 and <= MaxJtiLength } jti) return false;

        // The header names a key of the client's own set at most: whatever it carries itself (jwk, jku, x5u, x5c) is not looked at.
        return await IsSignedAsync(client, jwt, cancel) && await seen.IsFirstAsync(SeenTokens.Assertion, client.ClientId, jti, expires + Skew, cancel);
    }

    private async ValueTask<bool> IsSignedAsync(OAuthClient client, CompactJwt jwt, CancellationToken cancel)
    {
        if (client.Jwks is { } jwks) return Fitting(PublicJwk.ReadSet(jwks)).Any(k => k.Verify(jwt));
        var known = Fitting(await published.OfAsync(client, again: false, cancel));
        if (known.Any(k => k.Verify(jwt))) return true;
        // Signed with a key that has a name, and is among them: it is forged, and reading again would tell nothing else.
        return !known.Any(k => k.Kid is not null && k.Kid == jwt.Kid) && Fitting(await published.OfAsync(client, again: true, cancel)).Any(k => k.Verify(jwt));

        List<PublicJwk> Fitting(IReadOnlyList<PublicJwk> keys) => [.. keys.Where(k => jwt.Kid is null || k.Kid is null || k.Kid == jwt.Kid)];
    }

    /// <summary>For the issuer alone, so that an assertion made for one server opens no other; the token endpoint's address too where the operator lets it.</summary>
    private bool IsForUs(JsonElement claims)
    {
        if (!claims.TryGetProperty("aud", out var aud)) return false;
        var one = aud.ValueKind == JsonValueKind.Array && aud.GetArrayLength() == 1 ? aud[0] : aud;
        if (one.ValueKind != JsonValueKind.String) return false;
        var issuer = options.Value.IssuerName;
        return one.GetString() == issuer || (!options.Value.StrictClientAssertionAudience && one.GetString() == issuer.TrimEnd('/') + OAuthPaths.Token);
    }
}
