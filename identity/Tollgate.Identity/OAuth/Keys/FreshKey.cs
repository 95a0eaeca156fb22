using System.Security.Cryptography;

namespace Tollgate.Identity.OAuth.Keys;

/// <summary>Makes keys, and opens kept ones.</summary>
internal static class FreshKey
{
    private const int RsaSizeBits = 2048;

    /// <summary>A new key and its private half as PKCS#8.</summary>
    public static (KeyPair Pair, byte[] PrivateKey) Make(string algorithm)
    {
        if (algorithm == Algorithms.Es256)
        {
            using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            return (Pair(ec.ExportParameters(includePrivateParameters: true)), ec.ExportPkcs8PrivateKey());
        }

        using var rsa = RSA.Create(RsaSizeBits);
        return (Pair(rsa.ExportParameters(includePrivateParameters: true)), rsa.ExportPkcs8PrivateKey());
    }

    /// <exception cref="CryptographicException">It is no such key.</exception>
    public static KeyPair Open(string algorithm, byte[] privateKey)
    {
        if (algorithm == Algorithms.Es256)
        {
            using var ec = ECDsa.Create();
            ec.ImportPkcs8PrivateKey(privateKey, out _);
            return Pair(ec.ExportParameters(includePrivateParameters: true));
        }

        using var rsa = RSA.Create();
        rsa.ImportPkcs8PrivateKey(privateKey, out _);
        return Pair(rsa.ExportParameters(includePrivateParameters: true));
    }

    /// <summary>The public half alone: it verifies and never signs.</summary>
    public static KeyPair PublicHalf(SigningKey row) => row.Algorithm == Algorithms.Es256
        ? new EcKeyPair(row.Kid, new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = Bytes(row.X), Y = Bytes(row.Y) } })
        : new RsaKeyPair(row.Kid, new RSAParameters { Modulus = Bytes(row.Modulus), Exponent = Bytes(row.Exponent) });

    private static EcKeyPair Pair(ECParameters key) => new(EcKeyPair.Thumbprint(Text(key.Q.X), Text(key.Q.Y)), key);

    private static RsaKeyPair Pair(RSAParameters key) => new(RsaKeyPair.Thumbprint(Text(key.Modulus), Text(key.Exponent)), key);

    private static string Text(byte[]? bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);

    private static byte[] Bytes(string? text) => System.Buffers.Text.Base64Url.DecodeFromChars(text);
}
