namespace Tollgate.Gateway.Policy.Routing;

/// <summary>
/// A compiled <c>UpstreamHeaderTemplates</c>: headers that a call must carry, all of them. Values are literal text with <c>{header:name}</c> for one or
/// more characters, anchored at both ends. Several lines of a header are one value, joined with a comma.
/// </summary>
internal sealed class HeaderPatterns
{
    private const string Mark = "header:";

    private readonly (string Name, string? Literal, SegmentPattern? Pattern, int First, int Count)[] _headers;
    private readonly StringComparison _comparison;

    public HeaderPatterns(IEnumerable<KeyValuePair<string, string>> templates, bool caseSensitive)
    {
        _comparison = caseSensitive ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;
        var names = new List<string>();
        var headers = new List<(string, string?, SegmentPattern?, int, int)>();
        foreach (var (name, template) in templates)
        {
            var pieces = Split(template);
            var first = names.Count;
            names.AddRange(pieces.Where(piece => piece.IsPlaceholder).Select(piece => piece.Text));
            headers.Add(names.Count == first
                ? (name, template, null, first, 0)
                : (name, null, new SegmentPattern(pieces, 0, 1, !caseSensitive), first, names.Count - first));
        }

        _headers = [.. headers];
        Placeholders = [.. names];
    }

    /// <summary>Names without <c>header:</c>, in the order of the values that <see cref="Capture"/> gives.</summary>
    public string[] Placeholders { get; }

    /// <summary>Text and <c>{header:name}</c> placeholders; other braces are text.</summary>
    public static IReadOnlyList<TemplatePiece> Split(string template)
    {
        var pieces = new List<TemplatePiece>();
        foreach (var piece in TemplateText.Split(template))
        {
            if (piece.IsPlaceholder && piece.Text.StartsWith(Mark, StringComparison.OrdinalIgnoreCase) && piece.Text.Length > Mark.Length)
                pieces.Add(new(piece.Text[Mark.Length..], true));
            else if (pieces is [.., { IsPlaceholder: false } before])
                pieces[^1] = before with { Text = before.Text + Written(piece) };
            else
                pieces.Add(new(Written(piece), false));
        }

        return pieces;
    }

    public bool Matches(ICallHeaders? headers)
    {
        if (headers is null) return false;
        foreach (var (name, literal, pattern, _, _) in _headers)
        {
            var value = headers.Header(name);
            if (value is null || !(pattern?.Matches(value) ?? value.Equals(literal, _comparison))) return false;
        }

        return true;
    }

    /// <summary>The values of the placeholders in headers that match.</summary>
    public string[] Capture(ICallHeaders headers)
    {
        var values = new string[Placeholders.Length];
        foreach (var (name, _, pattern, first, count) in _headers)
        {
            if (pattern is null) continue;
            var value = headers.Header(name) ?? "";
            var captures = default(Captures);
            if (!pattern.TryMatch(value, 0, ref captures)) continue;
            for (var i = 0; i < count; i++) values[first + i] = captures[i].In(value, default).ToString();
        }

        return values;
    }

    private static string Written(TemplatePiece piece) => piece.IsPlaceholder ? $"{{{piece.Text}}}" : piece.Text;
}
