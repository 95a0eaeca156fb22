using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>
/// SipHash-2-4 with a 128-bit result under a key of this process's own (Aumasson and Bernstein, 2012). Nobody without the key can find two texts of one
/// hash, so the hash of a secret may stand for the secret in memory; and it costs a tenth of SHA-256.
/// </summary>
internal sealed class KeyedHash
{
    private readonly ulong _key0;
    private readonly ulong _key1;

    public KeyedHash() : this(RandomNumberGenerator.GetBytes(16))
    {
    }

    public KeyedHash(ReadOnlySpan<byte> key)
    {
        _key0 = MemoryMarshal.Read<ulong>(key);
        _key1 = MemoryMarshal.Read<ulong>(key[8..]);
    }

    public UInt128 Of(ReadOnlySpan<char> text) => Of(MemoryMarshal.AsBytes(text));

    public UInt128 Of(ReadOnlySpan<byte> bytes)
    {
        var v0 = _key0 ^ 0x736f6d6570736575;
        var v1 = _key1 ^ 0x646f72616e646f6d ^ 0xee;
        var v2 = _key0 ^ 0x6c7967656e657261;
        var v3 = _key1 ^ 0x7465646279746573;

        var last = (ulong)bytes.Length << 56;
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words)
        {
            v3 ^= word;
            Round(ref v0, ref v1, ref v2, ref v3);
            Round(ref v0, ref v1, ref v2, ref v3);
            v0 ^= word;
        }
        var rest = bytes[(words.Length * 8)..];
        for (var i = 0; i < rest.Length; i++)
            last |= (ulong)rest[i] << (8 * i);

        v3 ^= last;
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= last;

        v2 ^= 0xee;
        for (var i = 0; i < 4; i++)
            Round(ref v0, ref v1, ref v2, ref v3);
        var low = v0 ^ v1 ^ v2 ^ v3;

        v1 ^= 0xdd;
        for (var i = 0; i < 4; i++)
            Round(ref v0, ref v1, ref v2, ref v3);
        return new UInt128(v0 ^ v1 ^ v2 ^ v3, low);
    }

    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v0 += v1;
        v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
        v0 = BitOperations.RotateLeft(v0, 32);
        v2 += v3;
        v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
        v0 += v3;
        v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
        v2 += v1;
        v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
        v2 = BitOperations.RotateLeft(v2, 32);
    }
}
