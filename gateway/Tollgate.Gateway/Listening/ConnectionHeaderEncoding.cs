using System.Text;
using Tollgate.Gateway.Engines.Full;

namespace Tollgate.Gateway.Listening;

/// <summary>
/// Reads the value of a <c>Connection</c> header so that the names in it survive. The server replaces a value in which it knows one word (<c>close</c>,
/// <c>keep-alive</c>, <c>upgrade</c>) by that word alone, and a header that the caller meant for this hop would be sent on (RFC 9110 §7.6.1). With two of its
/// words in a value it leaves the value alone; such a connection is closed after the answer.
/// </summary>
internal sealed class ConnectionHeaderEncoding : Encoding
{
    private const string Kept = ", close, keep-alive";

    public static ConnectionHeaderEncoding Instance { get; } = new();

    public override int GetCharCount(byte[] bytes, int index, int count) => Read(bytes.AsSpan(index, count)).Length;

    public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex)
    {
        var text = Read(bytes.AsSpan(byteIndex, byteCount));
        text.CopyTo(0, chars, charIndex, text.Length);
        return text.Length;
    }

    public override int GetMaxCharCount(int byteCount) => byteCount + Kept.Length;
    public override int GetByteCount(char[] chars, int index, int count) => Latin1.GetByteCount(chars, index, count);
    public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) => Latin1.GetBytes(chars, charIndex, charCount, bytes, byteIndex);
    public override int GetMaxByteCount(int charCount) => Latin1.GetMaxByteCount(charCount);

    private static string Read(ReadOnlySpan<byte> bytes)
    {
        var text = Latin1.GetString(bytes);
        return HopByHopHeaders.NamedBy(text) is null ? text : text + Kept;
    }
}
