using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Tollgate.Gateway.Policy.Credentials;

internal enum TokenVerification : byte
{
    Invalid,
    Valid,
    Expired,

    /// <summary>The key that signed it is not known yet and is being asked for.</summary>
    KeysOnTheirWay,

    /// <summary>Only its issuer can read it, and is being asked.</summary>
    IssuerAsked,

    /// <summary>Only its issuer can read it, and cannot be asked now.</summary>
    IssuerAway,
}

/// <summary>
/// Verifies access tokens of one origin. Signature, algorithm, type and lifetime always; issuer and audience when they are configured.
/// Never <c>none</c>, and a shared secret only where one is configured (RFC 8725 §3.1, §3.2).
/// </summary>
/// <param name="keys">Null = all of its tokens are opaque.</param>
/// <param name="accessTokensOnly">Its access tokens say that they are (RFC 9068); others are ID tokens or worse. Elsewhere plain JWTs are taken too.</param>
/// <param name="introspector">Asked about tokens that are opaque; null = there are none.</param>
internal sealed class TokenProvider(
    string name, TokenKeys? keys, string? issuer, string? audience, bool accessTokensOnly = false, Introspector? introspector = null)
{
    private const int SkewSeconds = 5;

    private static readonly JsonWebTokenHandler Handler = new() { MapInboundClaims = false, SetDefaultTimesOnTokenCreation = false };

    private TokenKeySet? _parametersFor;
    private TokenValidationParameters? _parameters;

    public string Name => name;

    /// <summary>Rises whenever a key goes away: what it had verified is verified again.</summary>
    public int KeysVersion => keys?.Current?.Version ?? 0;

    /// <summary>Whether it signs tokens that can be verified here.</summary>
    public bool HasKeys => keys is not null;

    /// <param name="arrival">Completes once the issuer has answered.</param>
    public TokenVerification Introspect(string text, TokenDigest digest, long nowUnixMs, out TokenIdentity? identity, out Task? arrival)
    {
        (identity, arrival) = (null, null);
        return introspector?.Ask(this, text, digest, nowUnixMs, out identity, out arrival) ?? TokenVerification.Invalid;
    }

    /// <param name="arrival">Completes once keys that are on their way are here.</param>
    public TokenVerification Verify(string text, long nowUnixMs, out TokenIdentity? identity, out Task? arrival)
    {
        identity = null;
        arrival = null;

        JsonWebToken token;
        try
        {
            token = Handler.ReadJsonWebToken(text);
        }
        catch (Exception malformed) when (malformed is ArgumentException or SecurityTokenException or FormatException or InvalidOperationException)
        {
            return TokenVerification.Invalid;
        }

        if (token.IsEncrypted || !IsAccessToken(token.Typ) || token.TryGetHeaderValue<object>("crit", out _) || IsIdToken(token)) return TokenVerification.Invalid;

        // Bound to a key that nobody proves here (RFC 7800, RFC 9449 §7.2): whoever shows it as a bearer may have stolen it.
        if (token.TryGetPayloadValue<object>("cnf", out _)) return TokenVerification.Invalid;

        // Another issuer's token is no reason to look for its key here.
        var set = keys!.Current;
        if ((issuer ?? set?.Issuer) is { } mine && token.Issuer != mine) return TokenVerification.Invalid;
        if (set is null || set.Lacks(token.Kid))
        {
            arrival = keys.AskFor(token.Kid);
            return arrival is null ? TokenVerification.Invalid : TokenVerification.KeysOnTheirWay;
        }

        var result = Handler.ValidateTokenAsync(token, ParametersFor(set)).GetAwaiter().GetResult();    // completes at once: the keys are in memory
        if (!result.IsValid) return TokenVerification.Invalid;

        if (!TryReadTime(token, "exp", out var expires) || expires is null) return TokenVerification.Invalid;
        if (!TryReadTime(token, "nbf", out var notBefore)) return TokenVerification.Invalid;
        var expiresUnixMs = Milliseconds(expires.Value + SkewSeconds);
        if (expiresUnixMs <= nowUnixMs) return TokenVerification.Expired;
        if (notBefore is { } from && Milliseconds(from - SkewSeconds) > nowUnixMs) return TokenVerification.Invalid;

        var clientId = ReadText(token, "client_id") ?? ReadText(token, "azp");
        identity = new TokenIdentity
        {
            Provider = this,
            ClientId = clientId,
            ClientOfIssuer = clientId is null || ReadText(token, "iss") is not { } of ? null : $"{of} {clientId}",
            Subject = ReadText(token, "sub"),
            IssuedUnixMs = TryReadTime(token, "iat", out var issued) && issued is { } at ? Milliseconds(at) : 0,
            Scopes = ReadScopes(token),
            ExpiresUnixMs = expiresUnixMs,
            Jti = ReadText(token, "jti"),
            Claims = new ClaimSet([.. token.Claims.Select(claim => KeyValuePair.Create(string.IsInterned(claim.Type) ?? claim.Type, claim.Value))]),
        };
        return TokenVerification.Valid;
    }

    private TokenValidationParameters ParametersFor(TokenKeySet set)
    {
        if (ReferenceEquals(Volatile.Read(ref _parametersFor), set) && _parameters is { } known) return known;

        var expectedIssuer = issuer ?? set.Issuer;
        var parameters = new TokenValidationParameters
        {
            IssuerSigningKeys = set.Keys,
            ValidAlgorithms = set.Algorithms,
            TryAllIssuerSigningKeys = true,
            RequireSignedTokens = true,
            ValidateIssuer = expectedIssuer is not null,
            ValidIssuer = expectedIssuer,
            ValidateAudience = audience is not null,
            ValidAudience = audience,
            ValidateLifetime = false,    // by our own clock, in Verify
            ValidateTokenReplay = false,
        };
        _parameters = parameters;
        Volatile.Write(ref _parametersFor, set);
        return parameters;
    }

    // RFC 9068 §2.1 and RFC 7519 §5.1; a token without a type is a plain JWT.
    private bool IsAccessToken(string? type) => string.IsNullOrEmpty(type)
        ? !accessTokensOnly
        : type.Equals("at+jwt", StringComparison.OrdinalIgnoreCase) ||
          type.Equals("application/at+jwt", StringComparison.OrdinalIgnoreCase) ||
          !accessTokensOnly && type.Equals("JWT", StringComparison.OrdinalIgnoreCase);

    // Issuers that do not mark their access tokens sign ID tokens with the same keys (OIDC Core §2, §3.1.3.6).
    private static bool IsIdToken(JsonWebToken token) =>
        token.TryGetPayloadValue<object>("nonce", out _) || token.TryGetPayloadValue<object>("at_hash", out _) || token.TryGetPayloadValue<object>("c_hash", out _);

    private static bool TryReadTime(JsonWebToken token, string claim, out double? seconds)
    {
        seconds = null;
        if (!token.TryGetPayloadValue<object>(claim, out var value)) return true;
        seconds = value switch
        {
            int number => number,
            long number => number,
            double number when double.IsFinite(number) => number,
            decimal number => (double)number,
            _ => null,
        };
        return seconds is not null;
    }

    private static long Milliseconds(double seconds) => (long)Math.Clamp(seconds * 1000, 0, 253_402_300_799_000d);

    private static string? ReadText(JsonWebToken token, string claim) =>
        token.TryGetPayloadValue<object>(claim, out var value) && value is string { Length: > 0 } text ? text : null;

    private static string[] ReadScopes(JsonWebToken token)
    {
        var scopes = new List<string>();
        foreach (var claim in token.Claims)
            if (claim.Type == "scope")
                scopes.AddRange(claim.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        return [.. scopes];
    }
}
