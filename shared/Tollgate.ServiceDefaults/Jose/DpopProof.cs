using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Tollgate.ServiceDefaults.Jose;

/// <summary>
/// A proof that whoever sends a request holds a key (RFC 9449 §4.2), signed by the key in its own header. Whether it fits the request is asked of
/// <see cref="Refute"/>; that it is taken once, the asker sees to.
/// </summary>
public sealed class DpopProof
{
    public const string Header = "DPoP";
    public const int Longest = 4_000;
    private const string Type = "dpop+jwt";
    private const int LongestJti = 256;

    /// <summary>How long after it was made a proof is taken.</summary>
    public static readonly TimeSpan OldAtMost = TimeSpan.FromSeconds(60);

    /// <summary>How far clocks may be apart.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);

    private readonly CompactJwt _jwt;

    private DpopProof(CompactJwt jwt, string thumbprint, string jti, DateTimeOffset made) => (_jwt, Thumbprint, Jti, Made) = (jwt, thumbprint, jti, made);

    /// <summary>Of the key (RFC 7638): what a token bound to it says in <c>cnf.jkt</c>.</summary>
    public string Thumbprint { get; }

    public string Jti { get; }

    /// <summary><c>iat</c>.</summary>
    public DateTimeOffset Made { get; }

    public string? Nonce => _jwt.Text("nonce");

    /// <summary>Reads the only proof of a request. Null: <paramref name="wrong"/> says why it is none.</summary>
    /// <param name="header">The header; several are joined with a comma, which no proof holds.</param>
    public static DpopProof? Read(string? header, out string wrong)
    {
        wrong = "Send one DPoP proof.";
        if (header is not { Length: > 0 and <= Longest } || header.Contains(',')) return null;
        wrong = "The DPoP proof is no dpop+jwt.";
        if (CompactJwt.Read(header) is not { } jwt || jwt.Type != Type) return null;
        wrong = "The DPoP proof is not signed by the public key in its header, with RS256, PS256 or ES256.";
        if (!jwt.Header.TryGetProperty("jwk", out var jwk) || PublicJwk.Read(jwk) is not { } key || !key.Verify(jwt)) return null;
        wrong = "The DPoP proof has no jti.";
        if (jwt.Text("jti") is not { Length: > 0 and <= LongestJti } jti) return null;
        wrong = "The DPoP proof does not say when it was made.";
        return jwt.Moment("iat") is { } made ? new DpopProof(jwt, key.Thumbprint, jti, made) : null;
    }

    /// <summary>Why it is no proof for this request (RFC 9449 §4.3); null: it is.</summary>
    /// <param name="address">Where the request was sent.</param>
    /// <param name="accessToken">The token that is shown with it; empty = none is.</param>
    public string? Refute(string method, string address, DateTimeOffset now, ReadOnlySpan<char> accessToken)
    {
        if (_jwt.Text("htm") != method) return "The DPoP proof is for another method.";
        if (!IsSame(_jwt.Text("htu"), address)) return "The DPoP proof is for another address.";
        if (Made < now - OldAtMost - Skew || Made > now + Skew) return "The DPoP proof is too old, or of the future.";
        return accessToken.IsEmpty || _jwt.Text("ath") is { Length: < 100 } told && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(told), Digest(accessToken))
            ? null
            : "The DPoP proof is for another token.";
    }

    private static byte[] Digest(ReadOnlySpan<char> accessToken)
    {
        var ascii = new byte[accessToken.Length];
        Encoding.ASCII.GetBytes(accessToken, ascii);
        return Base64Url.EncodeToUtf8(SHA256.HashData(ascii));
    }

    /// <summary>Without query and fragment, scheme and host in any case (RFC 9449 §4.3, RFC 3986 §6.2).</summary>
    private static bool IsSame(string? told, string ours) =>
        Uri.TryCreate(told, UriKind.Absolute, out var one) && one.UserInfo.Length == 0 && Uri.TryCreate(ours, UriKind.Absolute, out var other)
        && one.GetLeftPart(UriPartial.Path) == other.GetLeftPart(UriPartial.Path);
}
