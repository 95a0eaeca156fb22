using System.Globalization;

namespace Tollgate.Gateway.Cache;

/// <summary>A part of a body that is in memory (RFC 9110 §14).</summary>
/// <param name="Length">0 = the part lies outside of the body: 416.</param>
internal readonly record struct ByteRange(int From, int Length)
{
    /// <summary>Null = the whole is to be sent: there is no part to read here, or there are several.</summary>
    public static ByteRange? Of(string range, int whole)
    {
        if (!range.StartsWith("bytes=", StringComparison.OrdinalIgnoreCase) || range.Contains(',')) return null;
        var text = range.AsSpan("bytes=".Length).Trim();
        var dash = text.IndexOf('-');
        if (dash < 0 || !TryNumber(text[..dash], out var first) || !TryNumber(text[(dash + 1)..], out var last)) return null;
        if (first is null) return last is null ? null : new ByteRange((int)Math.Max(0, whole - last.Value), (int)Math.Min(last.Value, whole));
        if (last < first) return null;
        if (first >= whole) return new ByteRange(0, 0);
        return new ByteRange((int)first.Value, (int)(Math.Min(last ?? long.MaxValue, whole - 1) - first.Value + 1));
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out long? number)
    {
        number = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var read) ? read : null;
        return number is not null || text.IsEmpty;
    }
}
