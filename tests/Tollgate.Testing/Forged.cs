namespace Tollgate.Testing;

/// <summary>Credentials that are surely none: where letters are put in place of others, they may have been the same.</summary>
public static class Forged
{
    /// <summary>The same text but for one letter near its end, all of whose bits count (of the last ones of base64, not all do).</summary>
    public static string EndOf(string text) => text[..^4] + (text[^4] == 'A' ? 'B' : 'A') + text[^3..];
}
