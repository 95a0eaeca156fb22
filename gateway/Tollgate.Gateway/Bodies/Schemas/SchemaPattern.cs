using System.Text;
using System.Text.RegularExpressions;

namespace Tollgate.Gateway.Bodies.Schemas;

/// <summary>
/// A pattern as JSON Schema means it (ECMA-262): <c>$</c> is the very end, and classes hold ASCII alone. Looked for in linear time where it can be, else
/// for a bounded time: patterns are the author's, texts the caller's, and nobody may make one look for ever.
/// </summary>
internal sealed class SchemaPattern
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);

    // ECMA-262 §22.2.2.9: white space and line ends, but not U+0085, which .NET takes for one.
    private const string Blanks = @"\t\n\v\f\r \u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000\uFEFF";

    // .NET knows categories by their short names alone.
    private static readonly Dictionary<string, string> Categories = new(StringComparer.Ordinal)
    {
        ["Letter"] = "L", ["Lowercase_Letter"] = "Ll", ["Uppercase_Letter"] = "Lu", ["Mark"] = "M", ["Number"] = "N", ["Decimal_Number"] = "Nd", ["digit"] = "Nd", ["Punctuation"] = "P", ["punct"] = "P",
        ["Symbol"] = "S", ["Separator"] = "Z", ["Space_Separator"] = "Zs", ["Control"] = "Cc",
    };

    private readonly Regex _regex;

    private SchemaPattern(Regex regex) => _regex = regex;

    /// <summary>Null = it is no pattern.</summary>
    public static SchemaPattern? Parse(string text)
    {
        var pattern = Translate(text);
        try
        {
            return new SchemaPattern(new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking));
        }
        catch (NotSupportedException)
        {
            return new SchemaPattern(new Regex(pattern, RegexOptions.CultureInvariant, Patience));    // it looks around or back
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Null = it takes too long to tell.</summary>
    public bool? IsIn(string text)
    {
        try
        {
            return _regex.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            return null;
        }
    }

    private static string Translate(string pattern)
    {
        var text = new StringBuilder(pattern.Length + 8);
        var inClass = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var c = pattern[i];
            if (c == '\\' && i + 1 < pattern.Length)
            {
                var escaped = pattern[++i];
                if (escaped == 'u' && i + 1 < pattern.Length && pattern[i + 1] == '{' && pattern.IndexOf('}', i) is var close and > 0 &&
                    int.TryParse(pattern.AsSpan(i + 2, close - i - 2), System.Globalization.NumberStyles.HexNumber, null, out var point) && Rune.IsValid(point))
                {
                    foreach (var unit in char.ConvertFromUtf32(point)) text.Append($"\\u{(int)unit:X4}");
                    i = close;
                    continue;
                }

                if (escaped is 'p' or 'P' && pattern.IndexOf('}', i) is var end and > 0 && Categories.TryGetValue(pattern[(i + 2)..end], out var category))
                {
                    text.Append($"\\{escaped}{{{category}}}");
                    i = end;
                    continue;
                }

                text.Append((escaped, inClass) switch
                {
                    ('d', false) => "[0-9]",
                    ('d', true) => "0-9",
                    ('D', false) => "[^0-9]",
                    ('w', false) => "[A-Za-z0-9_]",
                    ('w', true) => "A-Za-z0-9_",
                    ('W', false) => "[^A-Za-z0-9_]",
                    ('s', false) => $"[{Blanks}]",
                    ('s', true) => Blanks,
                    ('S', false) => $"[^{Blanks}]",
                    _ => $"\\{escaped}",
                });
                continue;
            }

            // A character of two halves is one thing to repeat.
            if (!inClass && char.IsHighSurrogate(c) && i + 1 < pattern.Length && char.IsLowSurrogate(pattern[i + 1]))
            {
                text.Append($"(?:{c}{pattern[++i]})");
                continue;
            }

            // Within a class a bracket is itself, which .NET may take for a subtraction.
            if (c == '[' && inClass) text.Append('\\');
            inClass = c == '[' || inClass && c != ']';
            text.Append(c == '$' && !inClass ? "\\z" : c.ToString());
        }

        return text.ToString();
    }
}
