using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Tollgate.Gateway.Consumers;

/// <summary>Ids made from names, so that a restart, and every sibling that reads the same file, has the same: RFC 9562 version 8 over SHA-256.</summary>
internal static class NamedId
{
    public static Guid Of(string kind, params ReadOnlySpan<string> names)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, "tollgate");
        Append(hash, kind);
        foreach (var name in names)
            Append(hash, name);
        var digest = hash.GetHashAndReset();
        digest[6] = (byte)((digest[6] & 0x0f) | 0x80);
        digest[8] = (byte)((digest[8] & 0x3f) | 0x80);
        return new Guid(digest.AsSpan(0, 16), bigEndian: true);
    }

    /// <summary>Length first, so that "a" + "bc" and "ab" + "c" are two things.</summary>
    private static void Append(IncrementalHash hash, string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, utf8.Length);
        hash.AppendData(length);
        hash.AppendData(utf8);
    }
}
