using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Tollgate.Identity.OAuth.Keys;

/// <summary>A signing key ready for use by many at once: the system's RSA objects serve one caller at a time, so each borrows one.</summary>
internal sealed class KeyPair(string kid, RSAParameters parameters)
{
    private readonly ConcurrentBag<RSA> _idle = [];

    public string Kid => kid;
    public string Modulus { get; } = Base64Url.EncodeToString(parameters.Modulus);
    public string Exponent { get; } = Base64Url.EncodeToString(parameters.Exponent);
    public bool CanSign => parameters.D is not null;

    public byte[] Sign(byte[] data) => Use(rsa => rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

    public bool Verify(byte[] data, byte[] signature) =>
        Use(rsa => rsa.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

    /// <summary>RFC 7638: the digest of the required members in their one order.</summary>
    public static string Thumbprint(RSAParameters key) => Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(
        $$"""{"e":"{{Base64Url.EncodeToString(key.Exponent)}}","kty":"RSA","n":"{{Base64Url.EncodeToString(key.Modulus)}}"}""")));

    private T Use<T>(Func<RSA, T> use)
    {
        if (!_idle.TryTake(out var rsa)) rsa = RSA.Create(parameters);
        try
        {
            return use(rsa);
        }
        finally
        {
            _idle.Add(rsa);
        }
    }
}
