using System.IO.Compression;
using System.Text;
using System.Text.Unicode;

namespace Tollgate.Gateway.Bodies;

/// <summary>
/// A JSON body as plain UTF-8, whatever it came as: compressed, in another character set, with a byte order mark. What passes here can be read, and is read alike by everybody.
/// </summary>
internal static class PlainBody
{
    /// <summary>For <c>Accept-Encoding</c> of a refusal (RFC 9110 §12.5.3).</summary>
    public const string Codings = "gzip, deflate, br";

    private static readonly Encoding Utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public enum Outcome
    {
        Plain,

        /// <summary>A coding or a character set that nobody here knows.</summary>
        Unknown,

        TooLarge,

        /// <summary>It is not what its header says.</summary>
        Broken,
    }

    /// <param name="coding"><c>Content-Encoding</c>.</param>
    /// <param name="mediaType"><c>Content-Type</c>, whose <c>charset</c> counts.</param>
    /// <param name="most">How large it may be when it is plain.</param>
    public static Outcome Of(byte[] body, string coding, string mediaType, int most, out byte[] plain, out string reason)
    {
        (plain, reason) = (body, "");
        var decoded = Decode(plain, coding, most, out plain);
        if (decoded == Outcome.Broken) reason = $"the body is not what its Content-Encoding ({coding}) says.";
        if (decoded != Outcome.Plain) return decoded;
        return ReadCharacters(ref plain, CharsetOf(mediaType), out reason);
    }

    /// <summary>A media type of the same body once it is UTF-8.</summary>
    public static string InUtf8(string mediaType)
    {
        if (CharsetOf(mediaType) is not { } charset || IsUtf8(charset)) return mediaType;
        return string.Join("; ", mediaType.Split(';', StringSplitOptions.TrimEntries).Select(part => part.StartsWith("charset=", StringComparison.OrdinalIgnoreCase) ? "charset=utf-8" : part));
    }

    private static Outcome Decode(byte[] body, string coding, int most, out byte[] plain)
    {
        plain = body;
        var kind = coding.Trim().ToLowerInvariant();
        if (kind is "" or "identity" || body.Length == 0) return Outcome.Plain;
        if (kind is not ("gzip" or "x-gzip" or "deflate" or "br")) return Outcome.Unknown;
        try
        {
            using var coded = new MemoryStream(body, writable: false);
            using Stream decoder = kind switch
            {
                "br" => new BrotliStream(coded, CompressionMode.Decompress),
                "deflate" => new ZLibStream(coded, CompressionMode.Decompress),
                _ => new GZipStream(coded, CompressionMode.Decompress),
            };
            var kept = new MemoryStream();
            var buffer = new byte[16_384];
            int read;
            while ((read = decoder.Read(buffer)) > 0)
            {
                if (kept.Length + read > most) return Outcome.TooLarge;
                kept.Write(buffer, 0, read);
            }

            plain = kept.ToArray();
            return Outcome.Plain;
        }
        catch (Exception broken) when (broken is InvalidDataException or InvalidOperationException or IOException)
        {
            return Outcome.Broken;
        }
    }

    private static Outcome ReadCharacters(ref byte[] body, string? charset, out string reason)
    {
        reason = "";
        if (charset is not null && !IsUtf8(charset))
        {
            if (Known(charset) is not { } encoding) return Outcome.Unknown;
            try
            {
                body = Utf8.GetBytes(encoding.GetString(body).TrimStart('\uFEFF'));
                return Outcome.Plain;
            }
            catch (ArgumentException)
            {
                reason = $"the body is not {charset}.";
                return Outcome.Broken;
            }
        }

        if (body.AsSpan().StartsWith(Encoding.UTF8.Preamble)) body = body[Encoding.UTF8.Preamble.Length..];    // RFC 8259 §8.1 lets readers pass over it
        if (System.Text.Unicode.Utf8.IsValid(body)) return Outcome.Plain;
        reason = "the body is not UTF-8.";
        return Outcome.Broken;
    }

    private static string? CharsetOf(string mediaType)
    {
        if (!mediaType.Contains(';')) return null;
        foreach (var part in mediaType.Split(';', StringSplitOptions.TrimEntries))
            if (part.StartsWith("charset=", StringComparison.OrdinalIgnoreCase))
                return part["charset=".Length..].Trim('"');
        return null;
    }

    private static bool IsUtf8(string charset) => charset.ToLowerInvariant() is "utf-8" or "utf8" or "us-ascii" or "ascii";

    private static Encoding? Known(string charset) => charset.ToLowerInvariant() switch
    {
        "iso-8859-1" or "latin1" or "latin-1" => Encoding.Latin1,
        "utf-16" or "utf-16le" => new UnicodeEncoding(bigEndian: false, byteOrderMark: false, throwOnInvalidBytes: true),
        "utf-16be" => new UnicodeEncoding(bigEndian: true, byteOrderMark: false, throwOnInvalidBytes: true),
        "utf-32" or "utf-32le" => new UTF32Encoding(bigEndian: false, byteOrderMark: false, throwOnInvalidCharacters: true),
        "utf-32be" => new UTF32Encoding(bigEndian: true, byteOrderMark: false, throwOnInvalidCharacters: true),
        _ => null,
    };
}
