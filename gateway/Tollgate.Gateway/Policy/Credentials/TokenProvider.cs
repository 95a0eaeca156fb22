using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Tollgate.ServiceDefaults.Jose;

namespace Tollgate.Gateway.Policy.Credentials;

internal enum TokenVerification : byte
{
    Invalid,

    /// <summary>Not valid here, and it may be another's.</summary>
    Foreign,

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
    private const int IssuedSkewSeconds = 30;

    private static readonly string[] Times = ["exp", "nbf", "iat"];

    private static readonly JsonWebTokenHandler Handler = new() { MapInboundClaims = false, SetDefaultTimesOnTokenCreation = false };

    private TokenKeySet? _parametersFor;
    private TokenValidationParameters? _parameters;

    public string Name => name;

    /// <summary>Rises whenever a key goes away: what it had verified is verified again.</summary>
    public int KeysVersion => keys?.Current?.Version ?? 0;

    /// <summary>Whether programs can find out about it by themselves (RFC 8414).</summary>
    public bool IsDiscovered => keys is AuthorityKeys;

    /// <summary>What it calls itself, if programs can find out about it; null = they cannot, or it has not said yet.</summary>
    public string? DiscoveredIssuer => keys is AuthorityKeys ? issuer ?? keys.Current?.Issuer : null;

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
            return TokenVerification.Foreign;
        }

        // Another issuer's token is no reason to look for its key here.
        var set = keys!.Current;
        var mine = issuer ?? set?.Issuer;
        if (mine is not null && token.Issuer != mine) return TokenVerification.Foreign;
        var no = mine is null ? TokenVerification.Foreign : TokenVerification.Invalid;
        if (token.IsEncrypted || !IsAccessToken(token.Typ) || CompactJwt.Read(text) is not { } strict || IsIdToken(token)) return no;
        if (!TryReadBinding(strict, out var boundTo) || !HasTimes(strict)) return no;
        if (set is null || set.Lacks(token.Kid))
        {
            arrival = keys.AskFor(token.Kid);
            return arrival is null ? no : TokenVerification.KeysOnTheirWay;
        }

        if (set.Forbids(token.Kid, token.Alg)) return no;
        var result = Handler.ValidateTokenAsync(token, ParametersFor(set)).GetAwaiter().GetResult();    // completes at once: the keys are in memory
        if (!result.IsValid) return no;

        var expiresUnixMs = Milliseconds(ReadTime(strict, "exp")!.Value + SkewSeconds);
        if (expiresUnixMs <= nowUnixMs) return TokenVerification.Expired;
        if (ReadTime(strict, "nbf") is { } from && Milliseconds(from - SkewSeconds) > nowUnixMs) return no;

        // A token of the future would outlive every revocation of what was issued before.
        var issued = ReadTime(strict, "iat");
        if (issued is { } said && Milliseconds(said - IssuedSkewSeconds) > nowUnixMs) return no;

        var clientId = ReadText(token, "client_id") ?? ReadText(token, "azp");
        identity = new TokenIdentity
        {
            Provider = this,
            ClientId = clientId,
            ClientOfIssuer = clientId is null || ReadText(token, "iss") is not { } of ? null : $"{of} {clientId}",
            Subject = ReadText(token, "sub"),
            IssuedUnixMs = issued is { } at ? Milliseconds(at) : 0,
            Scopes = ReadScopes(token),
            ExpiresUnixMs = expiresUnixMs,
            Jti = ReadText(token, "jti"),
            BoundTo = boundTo,
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

    // RFC 7519 §2: a moment is a number, not a text that looks like one.
    private static bool HasTimes(CompactJwt token)
    {
        if (!token.Claims.TryGetProperty("exp", out _)) return false;
        foreach (var claim in Times)
            if (token.Claims.TryGetProperty(claim, out _) && ReadTime(token, claim) is null)
                return false;
        return true;
    }

    private static double? ReadTime(CompactJwt token, string claim) =>
        token.Claims.TryGetProperty(claim, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var seconds) && double.IsFinite(seconds) ? seconds : null;

    /// <summary>False: it is bound to something that nobody proves here (RFC 7800 §3, RFC 8705), and whoever shows it may have stolen it.</summary>
    private static bool TryReadBinding(CompactJwt token, out string? thumbprint)
    {
        thumbprint = null;
        return !token.Claims.TryGetProperty("cnf", out var cnf) || TryReadBinding(cnf, out thumbprint);
    }

    /// <summary>The thumbprint in <c>cnf</c>, which must be all that is in it.</summary>
    public static bool TryReadBinding(JsonElement cnf, out string? thumbprint)
    {
        thumbprint = null;
        if (cnf.ValueKind != JsonValueKind.Object) return false;
        foreach (var member in cnf.EnumerateObject())
        {
            if (member.Name != "jkt" || member.Value.ValueKind != JsonValueKind.String) return false;
            thumbprint = member.Value.GetString();
        }

        return thumbprint is { Length: > 0 };
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
