using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Tollgate.Identity.OAuth.Keys;

/// <summary>Names of the signature algorithms that keys are made for (RFC 7518 §3.1).</summary>
internal static class Algorithms
{
    public const string Rs256 = "RS256";
    public const string Es256 = "ES256";

    public static IReadOnlyList<string> All { get; } = [Rs256, Es256];
}

/// <summary>A signing key ready for use by many at once.</summary>
internal abstract class KeyPair(string kid, string algorithm)
{
    public string Kid => kid;

    /// <summary>The only algorithm that it is used for.</summary>
    public string Algorithm => algorithm;

    public abstract bool CanSign { get; }

    public abstract byte[] Sign(byte[] data);

    public abstract bool Verify(byte[] data, byte[] signature);

    /// <summary>The public half as a JWK, as the key set shows it.</summary>
    public abstract JsonObject PublicJwk();
}

/// <summary>An RSA key for RS256.</summary>
internal sealed class RsaKeyPair(string kid, RSAParameters parameters) : KeyPair(kid, Algorithms.Rs256)
{
    private readonly Borrowed<RSA> _rsa = new(() => RSA.Create(parameters));

    public string Modulus { get; } = Base64Url.EncodeToString(parameters.Modulus);
    public string Exponent { get; } = Base64Url.EncodeToString(parameters.Exponent);
    public override bool CanSign => parameters.D is not null;

    public override byte[] Sign(byte[] data) => _rsa.Use(rsa => rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

    public override bool Verify(byte[] data, byte[] signature) =>
        _rsa.Use(rsa => rsa.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

    public override JsonObject PublicJwk() =>
        new() { ["kty"] = "RSA", ["use"] = "sig", ["alg"] = Algorithm, ["kid"] = Kid, ["n"] = Modulus, ["e"] = Exponent };

    /// <summary>RFC 7638.</summary>
    public static string Thumbprint(string modulus, string exponent) => ServiceDefaults.Jose.PublicJwk.ThumbprintOfRsa(modulus, exponent);
}

/// <summary>A key on P-256 for ES256.</summary>
internal sealed class EcKeyPair(string kid, ECParameters parameters) : KeyPair(kid, Algorithms.Es256)
{
    private readonly Borrowed<ECDsa> _ec = new(() => ECDsa.Create(parameters));

    public string X { get; } = Base64Url.EncodeToString(parameters.Q.X);
    public string Y { get; } = Base64Url.EncodeToString(parameters.Q.Y);
    public override bool CanSign => parameters.D is not null;

    public override byte[] Sign(byte[] data) => _ec.Use(ec => ec.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));

    public override bool Verify(byte[] data, byte[] signature) =>
        _ec.Use(ec => ec.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));

    public override JsonObject PublicJwk() =>
        new() { ["kty"] = "EC", ["use"] = "sig", ["alg"] = Algorithm, ["kid"] = Kid, ["crv"] = "P-256", ["x"] = X, ["y"] = Y };

    /// <summary>RFC 7638.</summary>
    public static string Thumbprint(string x, string y) => ServiceDefaults.Jose.PublicJwk.ThumbprintOfEc(x, y);
}

/// <summary>The system's key objects serve one caller at a time, so each borrows one.</summary>
internal sealed class Borrowed<TKey>(Func<TKey> make) where TKey : class
{
    private readonly ConcurrentBag<TKey> _idle = [];

    public T Use<T>(Func<TKey, T> use)
    {
        if (!_idle.TryTake(out var key)) key = make();
        try
        {
            return use(key);
        }
        finally
        {
            _idle.Add(key);
        }
    }
}
