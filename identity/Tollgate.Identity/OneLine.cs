using System.Globalization;

namespace Tollgate.Identity;

/// <summary>Names stand in mails' subjects, in logs and in lists: each is one line, by whichever character one could end.</summary>
internal static class OneLine
{
    public static bool Is(string text) => !text.Any(Breaks);

    /// <summary>The text with a blank for each character that could end a line.</summary>
    public static string Of(string text) => Is(text) ? text : new string([.. text.Select(c => Breaks(c) ? ' ' : c)]);

    /// <summary>What is looked for, in small letters; null = nothing is.</summary>
    public static string? Sought(string? search) => search is not null && Of(search).Trim().ToLowerInvariant() is { Length: > 0 } sought ? sought : null;

    /// <summary>Control characters, and the two separators of Unicode that many programs take for the end of a line.</summary>
    private static bool Breaks(char c) => char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
