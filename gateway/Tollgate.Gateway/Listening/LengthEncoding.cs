using System.Text;

namespace Tollgate.Gateway.Listening;

/// <summary>
/// Reads a <c>Content-Length</c> of digits alone (RFC 9110 §8.6). The server takes <c>+5</c> too, which another one on the way may take for something else.
/// </summary>
internal sealed class LengthEncoding : Encoding
{
    public static LengthEncoding Instance { get; } = new();

    // What is no number is told the server as one that it does not take.
    public override int GetChars(ReadOnlySpan<byte> bytes, Span<char> chars)
    {
        if (bytes.Length <= chars.Length && !bytes.ContainsAnyExceptInRange((byte)'0', (byte)'9')) return Latin1.GetChars(bytes, chars);
        chars[0] = '-';
        return 1;
    }

    public override int GetByteCount(char[] chars, int index, int count) => Latin1.GetByteCount(chars, index, count);
    public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) => Latin1.GetBytes(chars, charIndex, charCount, bytes, byteIndex);
    public override int GetCharCount(byte[] bytes, int index, int count) => Latin1.GetCharCount(bytes, index, count);
    public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex) => Latin1.GetChars(bytes, byteIndex, byteCount, chars, charIndex);
    public override int GetMaxByteCount(int charCount) => Latin1.GetMaxByteCount(charCount);
    public override int GetMaxCharCount(int byteCount) => Latin1.GetMaxCharCount(byteCount);
}
