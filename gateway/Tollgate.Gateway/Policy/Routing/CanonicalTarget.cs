using System.Buffers;
using System.Text;

namespace Tollgate.Gateway.Policy.Routing;

/// <summary>
/// The one spelling of a request target that is matched and sent on, so that no two spellings of a path reach different routes
/// (RFC 3986 §6.2.2): characters that need no escape are not escaped, those that need one are, hex digits are upper case, and <c>.</c> and <c>..</c> are
/// resolved. What is escaped stays escaped: <c>%2F</c>, <c>%20</c>, <c>%25</c> and UTF-8 reach the upstream as they came.
/// </summary>
internal static class CanonicalTarget
{
    private const string PathCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@";

    private static readonly SearchValues<char> InPath = SearchValues.Create(PathCharacters + "/");
    private static readonly SearchValues<char> PlainInPath = SearchValues.Create(PathCharacters);

    // Queries go through byte for byte; only what would break the request line or end the query is escaped.
    private static readonly SearchValues<char> InQuery = SearchValues.Create(PathCharacters + "/?%\"<>[]\\^`{|}");

    /// <summary>Splits a raw target in origin or absolute form. False = not a target with a path (<c>*</c>, an authority).</summary>
    public static bool TrySplit(string target, out string path, out string query)
    {
        query = "";
        path = "";
        var start = 0;
        if (target.Length == 0) return false;
        if (target[0] != '/')
        {
            var scheme = target.IndexOf("://", StringComparison.Ordinal);
            if (scheme < 0) return false;
            start = target.AsSpan(scheme + 3).IndexOfAny('/', '?');
            if (start < 0)
            {
                path = "/";
                return true;
            }

            start += scheme + 3;
        }

        var question = target.IndexOf('?', start);
        var end = question < 0 ? target.Length : question;
        path = Path(target, start, end);
        if (question >= 0 && question + 1 < target.Length) query = Query(target[(question + 1)..]);
        else if (question >= 0) query = "";
        return true;
    }

    /// <summary>The canonical spelling of a template's text, in which braces stand for themselves.</summary>
    public static string Literal(string text) => text.AsSpan().IndexOfAnyExcept(InPath) < 0 ? text : Respell(text);

    private static string Path(string target, int start, int end)
    {
        if (end == start) return "/";
        var raw = target.AsSpan(start, end - start);
        if (raw.IndexOfAnyExcept(InPath) < 0 && raw.IndexOf("/.") < 0)
            return raw.Length == target.Length ? target : raw.ToString();

        return ResolveDots(Respell(raw));
    }

    private static string Query(string query)
    {
        if (query.AsSpan().IndexOfAnyExcept(InQuery) < 0) return query;
        var spelled = new StringBuilder(query.Length + 16);
        foreach (var rune in query.EnumerateRunes())
            if (rune.IsAscii && InQuery.Contains((char)rune.Value)) spelled.Append((char)rune.Value);
            else Escape(spelled, rune);
        return spelled.ToString();
    }

    private static string Respell(ReadOnlySpan<char> raw)
    {
        var spelled = new StringBuilder(raw.Length + 16);
        for (var i = 0; i < raw.Length; i++)
        {
            var c = raw[i];
            if (c == '%' && i + 2 < raw.Length && char.IsAsciiHexDigit(raw[i + 1]) && char.IsAsciiHexDigit(raw[i + 2]))
            {
                var value = (char)(Convert.FromHexString(raw.Slice(i + 1, 2))[0]);
                if (PlainInPath.Contains(value)) spelled.Append(value);
                else spelled.Append('%').Append(char.ToUpperInvariant(raw[i + 1])).Append(char.ToUpperInvariant(raw[i + 2]));
                i += 2;
            }
            else if (InPath.Contains(c))
            {
                spelled.Append(c);
            }
            else
            {
                Rune.DecodeFromUtf16(raw[i..], out var rune, out var consumed);
                Escape(spelled, rune);
                i += consumed - 1;
            }
        }

        return spelled.ToString();
    }

    private static void Escape(StringBuilder spelled, Rune rune)
    {
        Span<byte> utf8 = stackalloc byte[4];
        var count = rune.EncodeToUtf8(utf8);
        for (var i = 0; i < count; i++) spelled.Append('%').Append(utf8[i].ToString("X2"));
    }

    // RFC 3986 §5.2.4.
    private static string ResolveDots(string path)
    {
        if (path.IndexOf("/.", StringComparison.Ordinal) < 0) return path;

        var kept = new List<string>();
        var segments = path.Split('/');
        for (var i = 1; i < segments.Length; i++)
        {
            var last = i == segments.Length - 1;
            switch (segments[i])
            {
                case ".":
                    if (last) kept.Add("");
                    break;
                case "..":
                    if (kept.Count > 0) kept.RemoveAt(kept.Count - 1);
                    if (last) kept.Add("");
                    break;
                default:
                    kept.Add(segments[i]);
                    break;
            }
        }

        return "/" + string.Join('/', kept);
    }
}
