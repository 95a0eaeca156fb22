using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Tollgate.Identity.SecondFactor;

/// <summary>The codes of authenticator apps (RFC 6238): HMAC-SHA-1, six digits, a new one every 30 seconds.</summary>
internal static class Totp
{
    public const string Issuer = "Tollgate";
    private const int Digits = 6;
    private const int StepSeconds = 30;

    /// <summary>How many steps before and after now are taken, for clocks that go wrong.</summary>
    private const int Tolerance = 1;

    /// <summary>160 bits, as RFC 4226 §4 recommends.</summary>
    public static byte[] NewKey() => RandomNumberGenerator.GetBytes(20);

    public static string Code(byte[] key, long step)
    {
        Span<byte> counter = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
        Span<byte> digest = stackalloc byte[HMACSHA1.HashSizeInBytes];
#pragma warning disable CA5350 // what every authenticator app speaks; the weakness of SHA-1 does not touch HMAC
        HMACSHA1.HashData(key, counter, digest);
#pragma warning restore CA5350
        var value = BinaryPrimitives.ReadInt32BigEndian(digest[(digest[^1] & 0xf)..]) & 0x7fffffff;
        return (value % 1_000_000).ToString("D6", CultureInfo.InvariantCulture);
    }

    public static long StepAt(DateTimeOffset now) => now.ToUnixTimeSeconds() / StepSeconds;

    /// <summary>The step that a code belongs to, the newest first; null when it is none of now. Blanks in the code are no matter.</summary>
    public static long? Find(byte[] key, string code, DateTimeOffset now)
    {
        var typed = new string([.. code.Where(c => !char.IsWhiteSpace(c) && c != '-')]);
        if (typed.Length != Digits || !typed.All(char.IsAsciiDigit)) return null;
        long? found = null;
        for (var step = StepAt(now) - Tolerance; step <= StepAt(now) + Tolerance; step++)
            if (CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Code(key, step)), Encoding.ASCII.GetBytes(typed))) found = step;
        return found;
    }

    /// <summary>What the QR code says.</summary>
    public static string Address(byte[] key, string email) =>
        $"otpauth://totp/{Issuer}:{Uri.EscapeDataString(email)}?secret={Base32.Write(key)}&issuer={Issuer}&algorithm=SHA1&digits={Digits}&period={StepSeconds}";
}
