using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>SHA-256 of a token: a token is a secret and is not kept, and no other may pass for it.</summary>
internal readonly record struct TokenDigest(ulong A, ulong B, ulong C, ulong D)
{
    public const int LongestToken = 8192;

    /// <param name="text">ASCII, and no longer than <see cref="LongestToken"/>.</param>
    public static TokenDigest Of(ReadOnlySpan<char> text)
    {
        Span<byte> ascii = stackalloc byte[LongestToken];
        var length = Encoding.ASCII.GetBytes(text, ascii);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(ascii[..length], hash);
        return new(
            BinaryPrimitives.ReadUInt64LittleEndian(hash), BinaryPrimitives.ReadUInt64LittleEndian(hash[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(hash[16..]), BinaryPrimitives.ReadUInt64LittleEndian(hash[24..]));
    }

    public override int GetHashCode() => (int)A;
}
