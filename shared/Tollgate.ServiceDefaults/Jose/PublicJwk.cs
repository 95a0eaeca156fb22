using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Tollgate.ServiceDefaults.Jose;

/// <summary>A public key that somebody else signs with (RFC 7517): RSA from 2048 bits on, or P-256. Each algorithm fits one kind of key.</summary>
public sealed class PublicJwk
{
    /// <summary>What signatures of others may be made with: asymmetric, never <c>none</c>.</summary>
    public static readonly IReadOnlyList<string> SignatureAlgorithms = ["RS256", "PS256", "ES256"];

    private static readonly string[] PrivateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    private readonly RSAParameters? _rsa;
    private readonly ECParameters? _ec;
    private readonly string? _onlyAlgorithm;

    private PublicJwk(JsonElement jwk)
    {
        Kid = CompactJwt.Text(jwk, "kid");
        _onlyAlgorithm = CompactJwt.Text(jwk, "alg");
        if (CompactJwt.Text(jwk, "kty") == "RSA")
        {
            var (n, e) = (CompactJwt.Text(jwk, "n")!, CompactJwt.Text(jwk, "e")!);
            _rsa = new RSAParameters { Modulus = Base64Url.DecodeFromChars(n), Exponent = Base64Url.DecodeFromChars(e) };
            Thumbprint = ThumbprintOfRsa(n, e);
        }
        else
        {
            var (x, y) = (CompactJwt.Text(jwk, "x")!, CompactJwt.Text(jwk, "y")!);
            _ec = new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = Base64Url.DecodeFromChars(x), Y = Base64Url.DecodeFromChars(y) } };
            Thumbprint = ThumbprintOfEc(x, y);
        }
    }

    public string? Kid { get; }

    /// <summary>RFC 7638.</summary>
    public string Thumbprint { get; }

    /// <summary>Null: it is no such key, or a private one.</summary>
    public static PublicJwk? Read(JsonElement jwk)
    {
        if (jwk.ValueKind != JsonValueKind.Object || PrivateMembers.Any(m => jwk.TryGetProperty(m, out _)) || CompactJwt.Text(jwk, "use") is not (null or "sig")) return null;
        try
        {
            switch (CompactJwt.Text(jwk, "kty"))
            {
                case "RSA" when CompactJwt.Text(jwk, "n") is { Length: >= 340 and <= 1400 } && CompactJwt.Text(jwk, "e") is { Length: >= 1 and <= 12 }:
                case "EC" when CompactJwt.Text(jwk, "crv") == "P-256" && CompactJwt.Text(jwk, "x") is { Length: 43 } && CompactJwt.Text(jwk, "y") is { Length: 43 }:
                    var key = new PublicJwk(jwk);
                    key.Verify(key._rsa is null ? "ES256" : "RS256", [], new byte[64]);   // throws for a point that is on no curve
                    return key;
                default:
                    return null;
            }
        }
        catch (Exception bad) when (bad is FormatException or CryptographicException)
        {
            return null;
        }
    }

    /// <summary>The keys of a set; those of other kinds are left out.</summary>
    public static IReadOnlyList<PublicJwk> ReadSet(string jwks)
    {
        using var set = JsonDocument.Parse(jwks);
        return set.RootElement.TryGetProperty("keys", out var keys) && keys.ValueKind == JsonValueKind.Array
            ? [.. keys.EnumerateArray().Select(Read).OfType<PublicJwk>()]
            : [];
    }

    /// <summary>Whether a set tells a secret: a private or a shared key is nobody's to hand over.</summary>
    public static bool HoldsSecret(string jwks)
    {
        using var set = JsonDocument.Parse(jwks);
        return set.RootElement.TryGetProperty("keys", out var keys) && keys.ValueKind == JsonValueKind.Array
            && keys.EnumerateArray().Any(key => key.ValueKind == JsonValueKind.Object && PrivateMembers.Any(m => key.TryGetProperty(m, out _)));
    }

    /// <summary>RFC 7638: the digest of the required members in their one order.</summary>
    public static string ThumbprintOfRsa(string modulus, string exponent) => Digest($$"""{"e":"{{exponent}}","kty":"RSA","n":"{{modulus}}"}""");

    /// <summary>RFC 7638, of a point on P-256.</summary>
    public static string ThumbprintOfEc(string x, string y) => Digest($$"""{"crv":"P-256","kty":"EC","x":"{{x}}","y":"{{y}}"}""");

    private static string Digest(string json) => Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(json)));

    public bool Verify(CompactJwt jwt) => jwt.Algorithm is { } algorithm && SignatureAlgorithms.Contains(algorithm) && Verify(algorithm, jwt.Signed, jwt.Signature);

    private bool Verify(string algorithm, byte[] data, byte[] signature)
    {
        if (_onlyAlgorithm is not null && _onlyAlgorithm != algorithm) return false;
        if (_ec is { } point)
        {
            if (algorithm != "ES256") return false;
            using var ec = ECDsa.Create(point);
            return ec.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }

        if (algorithm is not ("RS256" or "PS256")) return false;
        using var rsa = RSA.Create(_rsa!.Value);
        return rsa.VerifyData(data, signature, HashAlgorithmName.SHA256, algorithm == "PS256" ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
    }
}
