using System.Text;
using Microsoft.IdentityModel.Tokens;

namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>Where a provider's keys come from.</summary>
internal abstract class TokenKeys
{
    /// <summary>Null = none arrived yet.</summary>
    public abstract TokenKeySet? Current { get; }

    /// <summary>Asks for a key that is not in the set. Null = there is nobody to ask, or one has asked too lately.</summary>
    public abstract Task? AskFor(string? kid);
}

/// <summary>Keys that are all there from the start: a shared secret or a file.</summary>
internal sealed class FixedTokenKeys(TokenKeySet set) : TokenKeys
{
    public override TokenKeySet Current { get; } = set;

    public override Task? AskFor(string? kid) => null;

    public static FixedTokenKeys FromSecret(string secret) =>
        new(new TokenKeySet([new SymmetricSecurityKey(Encoding.UTF8.GetBytes(secret))], [SecurityAlgorithms.HmacSha256], anyKid: true));

    /// <summary>A JSON Web Key Set (RFC 7517 §5). Symmetric keys in it are left out: what is in a public set is no secret.</summary>
    public static FixedTokenKeys FromJwks(string json) => new(TokenKeySet.FromJwks(json));
}

/// <summary>The keys of a provider at one time. Immutable.</summary>
internal sealed class TokenKeySet(
    IReadOnlyList<SecurityKey> keys, string[] algorithms, bool anyKid = false, string? issuer = null, int version = 1, IReadOnlyDictionary<string, string>? algorithmByKid = null)
{
    private static readonly string[] Asymmetric =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384, SecurityAlgorithms.RsaSsaPssSha512,
        SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    public IReadOnlyList<SecurityKey> Keys { get; } = keys;
    public string[] Algorithms { get; } = algorithms;

    /// <summary>What the authority calls itself; null = not said.</summary>
    public string? Issuer { get; } = issuer;

    public int Version { get; } = version;

    /// <summary>What the set says of single keys; those that it says nothing of sign with any of <see cref="Algorithms"/>.</summary>
    public IReadOnlyDictionary<string, string>? AlgorithmByKid { get; } = algorithmByKid;

    /// <summary>Whether the key that a token names is for another algorithm (RFC 8725 §3.1).</summary>
    public bool Forbids(string? kid, string? algorithm) =>
        AlgorithmByKid is not null && !string.IsNullOrEmpty(kid) && AlgorithmByKid.TryGetValue(kid, out var only) && only != algorithm;

    /// <summary>Whether a token names a key that is not here.</summary>
    public bool Lacks(string? kid)
    {
        if (anyKid || string.IsNullOrEmpty(kid)) return false;
        foreach (var key in Keys)
            if (key.KeyId == kid || string.IsNullOrEmpty(key.KeyId))
                return false;
        return true;
    }

    /// <summary>Throws an <see cref="ArgumentException"/> when it holds no key to verify with.</summary>
    public static TokenKeySet FromJwks(string json, string? issuer = null, int version = 1)
    {
        var set = new JsonWebKeySet(json) { SkipUnresolvedJsonWebKeys = true };
        var keys = set.GetSigningKeys().Where(key => key is AsymmetricSecurityKey or JsonWebKey { Kty: "RSA" or "EC" }).ToArray();
        if (keys.Length == 0) throw new ArgumentException("the set holds no RSA or EC key to verify signatures with.");
        var only = set.Keys.Where(key => !string.IsNullOrEmpty(key.Kid) && !string.IsNullOrEmpty(key.Alg)).DistinctBy(key => key.Kid).ToDictionary(key => key.Kid, key => key.Alg, StringComparer.Ordinal);
        return new TokenKeySet(keys, Asymmetric, issuer: issuer, version: version, algorithmByKid: only);
    }
}
