using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Tollgate.Contracts;

namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>A SHA-256 digest by value. Equal only when all 256 bits are; compared in constant time.</summary>
[InlineArray(32)]
internal struct KeyDigest : IEquatable<KeyDigest>
{
    private byte _first;

    public static KeyDigest Of(ReadOnlySpan<char> rawKey)
    {
        var digest = default(KeyDigest);
        ApiKeyFormat.Sha256(rawKey, digest);
        return digest;
    }

    public static bool TryParse(string? hex, out KeyDigest digest)
    {
        digest = default;
        return hex is { Length: 64 } && Convert.FromHexString(hex, digest, out _, out var written) == System.Buffers.OperationStatus.Done && written == 32;
    }

    public bool Equals(KeyDigest other) => CryptographicOperations.FixedTimeEquals(this, other);

    public override bool Equals(object? other) => other is KeyDigest digest && Equals(digest);

    /// <summary>A digest is as good as random already.</summary>
    public override int GetHashCode() => MemoryMarshal.Read<int>(this);
}
