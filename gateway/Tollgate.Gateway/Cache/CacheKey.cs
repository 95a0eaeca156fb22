using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Tollgate.Gateway.Cache;

/// <summary>Names an answer by digests: of the address alone, and of everything that tells answers of that address apart.</summary>
internal readonly record struct CacheKey(UInt128 Address, UInt128 Variant)
{
    public static UInt128 Digest(ReadOnlySpan<char> text)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(MemoryMarshal.AsBytes(text), digest);
        return BinaryPrimitives.ReadUInt128BigEndian(digest);
    }
}
