using System.Net;
using System.Text.RegularExpressions;

namespace Tollgate.Testing;

/// <summary>A form of a server-rendered page, filled in and sent as a browser without script would.</summary>
public sealed partial class HtmlForm
{
    private readonly Dictionary<string, string> _fields = [];

    private HtmlForm(string action) => Action = action;

    public string Action { get; }

    public IReadOnlyCollection<string> Fields => _fields.Keys;

    /// <summary>The first form of a page that posts, with the values that it came with (the anti-forgery token among them).</summary>
    public static HtmlForm In(string html, string page)
    {
        var form = FormPattern().Matches(html).FirstOrDefault(f => f.Groups["head"].Value.Contains("post", StringComparison.OrdinalIgnoreCase))
            ?? throw new InvalidOperationException($"{page} has no form that posts:\n{html}");
        var parsed = new HtmlForm(Attribute(form.Groups["head"].Value, "action") is { Length: > 0 } action ? action : page);
        foreach (Match input in InputPattern().Matches(form.Groups["body"].Value))
        {
            if (Attribute(input.Value, "name") is not { Length: > 0 } name) continue;
            if (Attribute(input.Value, "type") is "checkbox" or "submit" && !input.Value.Contains("checked", StringComparison.Ordinal)) continue;
            parsed._fields[name] = Attribute(input.Value, "value") ?? "";
        }

        return parsed;
    }

    /// <summary>Fills in a field, named as the page names it or by the end of that name.</summary>
    public HtmlForm Fill(string name, string value)
    {
        var field = _fields.Keys.FirstOrDefault(f => f.Equals(name, StringComparison.OrdinalIgnoreCase))
            ?? _fields.Keys.FirstOrDefault(f => f.EndsWith(name, StringComparison.OrdinalIgnoreCase))
            ?? throw new InvalidOperationException($"The form has no field {name}; it has {string.Join(", ", _fields.Keys)}.");
        _fields[field] = value;
        return this;
    }

    /// <summary>Says more than the form asks for: which of its buttons was pressed.</summary>
    public HtmlForm With(string name, string value)
    {
        _fields[name] = value;
        return this;
    }

    public FormUrlEncodedContent Content => new(_fields);

    private static string? Attribute(string tag, string name) =>
        Regex.Match(tag, $"""\b{name}\s*=\s*(?:"(?<v>[^"]*)"|'(?<v>[^']*)'|(?<v>[^\s>]+))""", RegexOptions.IgnoreCase) is { Success: true } found
            ? WebUtility.HtmlDecode(found.Groups["v"].Value)
            : null;

    [GeneratedRegex("<form(?<head>[^>]*)>(?<body>.*?)</form>", RegexOptions.Singleline | RegexOptions.IgnoreCase)]
    private static partial Regex FormPattern();

    [GeneratedRegex("<(input|textarea|select)\\b[^>]*>", RegexOptions.IgnoreCase)]
    private static partial Regex InputPattern();
}
