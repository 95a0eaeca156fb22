using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Tollgate.Gateway.Policy;

/// <summary>Names a call in answers, logs and usage: the caller's own id where it is sane, else a UUID of version 7 (RFC 9562).</summary>
internal static class RequestId
{
    public const string Header = "X-Request-Id";
    private const int Longest = 64;

    private static readonly SearchValues<char> SaneCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    /// <summary>The id as text, and as the number that the journal keeps.</summary>
    public static string Choose(string? sent, long nowUnixMs, out UInt128 number)
    {
        if (IsSane(sent))
        {
            number = NumberOf(sent);
            return sent;
        }

        // Unique, not secret: the shared generator will do.
        var high = (ulong)nowUnixMs << 16 | 0x7000UL | (uint)Random.Shared.Next(0x1000);
        var low = 0x8000_0000_0000_0000 | ((ulong)Random.Shared.NextInt64() >> 1);
        number = new UInt128(high, low);
        return Text(number);
    }

    /// <summary>Whether a caller's id may be taken over.</summary>
    public static bool IsSane([NotNullWhen(true)] string? sent) => sent is { Length: > 0 and <= Longest } && sent.AsSpan().IndexOfAnyExcept(SaneCharacters) < 0;

    /// <summary>A UUID's own number, or a digest of any other id: <c>explain</c> finds either by the text alone.</summary>
    public static UInt128 NumberOf(string id)
    {
        Span<byte> bytes = stackalloc byte[SHA256.HashSizeInBytes];
        if (Guid.TryParseExact(id, "D", out var uuid)) uuid.TryWriteBytes(bytes, bigEndian: true, out _);
        else SHA256.HashData(Encoding.ASCII.GetBytes(id), bytes);
        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    /// <summary>The number as the UUID that it is, or stands for.</summary>
    public static string Text(UInt128 number)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, number);
        return new Guid(bytes, bigEndian: true).ToString("D");
    }
}
