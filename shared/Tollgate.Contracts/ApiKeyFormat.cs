using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Tollgate.Contracts;

/// <summary>
/// What an API key looks like: <c>tg_live_</c> or <c>tg_test_</c>, 30 base62 characters of randomness (178 bits) and 6 base62 characters
/// of CRC-32 over all before them. The checksum lets the gateway and secret scanners turn garbage away without a look-up; it is no secret.
/// </summary>
public static class ApiKeyFormat
{
    /// <summary>How every key of ours begins. What begins so and is not well-formed is no key at all.</summary>
    public const string Mark = "tg_";

    public const string LivePrefix = "tg_live_";
    public const string TestPrefix = "tg_test_";

    /// <summary>Length of a whole key.</summary>
    public const int Length = PrefixLength + RandomLength + ChecksumLength;

    /// <summary>How many leading characters may be shown.</summary>
    public const int ShownLength = 12;

    private const int PrefixLength = 8;
    private const int RandomLength = 30;
    private const int ChecksumLength = 6;
    internal const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private static readonly SearchValues<char> Base62 = SearchValues.Create(Alphabet);
    private static readonly uint[] Crc32Table = MakeCrc32Table();

    /// <summary>A new key. This is the only moment at which it exists in full: store its digest.</summary>
    public static string Generate(bool test)
    {
        Span<char> key = stackalloc char[Length];
        (test ? TestPrefix : LivePrefix).CopyTo(key);
        RandomNumberGenerator.GetItems(Alphabet, key.Slice(PrefixLength, RandomLength));    // unbiased: rejects, does not fold
        WriteChecksum(key[..^ChecksumLength], key[^ChecksumLength..]);
        return new string(key);
    }

    /// <summary>Whether the text has the prefix, length, alphabet and checksum of a key. Says nothing of whether such a key was ever issued.</summary>
    public static bool IsWellFormed(ReadOnlySpan<char> key)
    {
        if (key.Length != Length || !(key.StartsWith(LivePrefix) || key.StartsWith(TestPrefix)) || key[PrefixLength..].ContainsAnyExcept(Base62))
            return false;

        Span<char> expected = stackalloc char[ChecksumLength];
        WriteChecksum(key[..^ChecksumLength], expected);
        return expected.SequenceEqual(key[^ChecksumLength..]);
    }

    /// <summary>SHA-256 of the key as UTF-8, 64 lower-case hex digits: how keys are stored and fed to gateways.</summary>
    public static string Sha256Hex(ReadOnlySpan<char> key)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        Sha256(key, digest);
        return Convert.ToHexStringLower(digest);
    }

    /// <summary>SHA-256 of the key as UTF-8 into <paramref name="digest"/> (32 bytes).</summary>
    public static void Sha256(ReadOnlySpan<char> key, Span<byte> digest)
    {
        var size = Encoding.UTF8.GetMaxByteCount(key.Length);
        var rented = size > 512 ? ArrayPool<byte>.Shared.Rent(size) : null;
        var utf8 = rented ?? stackalloc byte[512];
        var length = Encoding.UTF8.GetBytes(key, utf8);
        SHA256.HashData(utf8[..length], digest);
        CryptographicOperations.ZeroMemory(utf8[..length]);
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
    }

    /// <summary>The part of a key that may be shown, such as <c>tg_live_ab12</c>; empty when it is not one of ours.</summary>
    public static string Prefix(ReadOnlySpan<char> key) => IsWellFormed(key) ? new string(key[..ShownLength]) : "";

    /// <summary>The last four characters, shown beside the prefix so that a person recognises the key.</summary>
    public static string LastFour(ReadOnlySpan<char> key) => key.Length > ShownLength + 4 ? new string(key[^4..]) : "";

    internal static void WriteChecksum(ReadOnlySpan<char> body, Span<char> checksum)
    {
        var crc = uint.MaxValue;
        foreach (var character in body)    // ASCII by now
            crc = Crc32Table[(byte)(crc ^ character)] ^ (crc >> 8);
        crc = ~crc;

        for (var i = checksum.Length - 1; i >= 0; i--, crc /= 62)
            checksum[i] = Alphabet[(int)(crc % 62)];
    }

    /// <summary>The table of CRC-32 as in ISO/IEC 13239 and zip: reflected, polynomial 0xEDB88320.</summary>
    private static uint[] MakeCrc32Table()
    {
        var table = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++)
                value = (value & 1) != 0 ? 0xEDB88320 ^ (value >> 1) : value >> 1;
            table[i] = value;
        }
        return table;
    }
}
