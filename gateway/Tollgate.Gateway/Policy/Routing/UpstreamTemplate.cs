namespace Tollgate.Gateway.Policy.Routing;

/// <summary>
/// A compiled <c>UpstreamPathTemplate</c>. Before the last slash a placeholder takes one or more characters of its segment; after it, everything, also
/// nothing and also slashes; a placeholder that is alone after the last slash makes that slash optional.
/// </summary>
internal sealed class UpstreamTemplate
{
    private readonly StringComparison _comparison;
    private readonly int _pathPlaceholders;

    public UpstreamTemplate(string text, bool caseSensitive)
    {
        Text = text;
        CaseSensitive = caseSensitive;
        _comparison = caseSensitive ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;

        var question = text.IndexOf('?');
        var path = question < 0 ? text : text[..question];
        Placeholders = [.. TemplateText.Placeholders(text)];

        var placeholder = 0;
        var segments = new List<Segment>();
        var parts = path[1..].Split('/');
        for (var i = 0; i < parts.Length; i++)
        {
            var last = i == parts.Length - 1;
            if (last && parts[i].Length == 0)
            {
                ClosingSlash = true;
                break;
            }

            var pieces = TemplateText.Split(parts[i])
                .Select(piece => piece.IsPlaceholder ? piece : piece with { Text = CanonicalTarget.Literal(piece.Text) })
                .ToArray();
            segments.Add(new Segment(pieces, new SegmentPattern(pieces, placeholder, last ? 0 : 1, !caseSensitive)));
            placeholder += pieces.Count(piece => piece.IsPlaceholder);
        }

        _pathPlaceholders = placeholder;
        Segments = [.. segments];
        if (question >= 0) Query = new QueryPattern(text[(question + 1)..], placeholder, !caseSensitive);
    }

    public string Text { get; }
    public bool CaseSensitive { get; }

    /// <summary>Names in the order of their captures.</summary>
    public string[] Placeholders { get; }

    public Segment[] Segments { get; }

    /// <summary>Written with a slash at the end: calls match with and without it.</summary>
    public bool ClosingSlash { get; }

    public QueryPattern? Query { get; }

    /// <summary><c>/{x}</c> takes every path and always comes last.</summary>
    public bool IsCatchAll => Query is null && !ClosingSlash && Segments is [{ IsPlaceholder: true }];

    /// <summary>Finds the values of the placeholders in a call that the tree has matched.</summary>
    public bool TryMatch(ReadOnlySpan<char> path, ReadOnlySpan<char> query, ref Captures captures)
    {
        var at = 0;
        for (var i = 0; i < Segments.Length; i++)
        {
            var last = i == Segments.Length - 1 && !ClosingSlash;
            if (last && Segments[i].IsPlaceholder && at == path.Length)
            {
                captures.Set(_pathPlaceholders - 1, at, 0, inQuery: false);
                return MatchQuery(query, ref captures);
            }

            if (at >= path.Length || path[at] != '/') return false;
            at++;
            var slash = last ? -1 : path[at..].IndexOf('/');
            var end = slash < 0 ? path.Length : at + slash;
            var text = path[at..end];
            if (Segments[i].Literal is { } literal ? !text.Equals(literal, _comparison) : !Segments[i].Pattern.TryMatch(text, at, ref captures)) return false;
            at = end;
        }

        if (ClosingSlash && at < path.Length && path[at] == '/') at++;
        return at == path.Length && MatchQuery(query, ref captures);
    }

    private bool MatchQuery(ReadOnlySpan<char> query, ref Captures captures) => Query is null || Query.TryMatch(query, ref captures);

    internal readonly record struct Segment(TemplatePiece[] Pieces, SegmentPattern Pattern)
    {
        /// <summary>Null when there is a placeholder in it.</summary>
        public string? Literal => Pieces is [{ IsPlaceholder: false } only] ? only.Text : null;

        public bool IsPlaceholder => Pieces is [{ IsPlaceholder: true }];
    }
}
