namespace Tollgate.Gateway.Policy.Routing;

/// <summary>
/// The part of an upstream template after <c>?</c>. Its parameters must come first and in its order; further ones may follow.
/// A placeholder alone (<c>?{everything}</c>) takes the whole query, also none.
/// </summary>
internal sealed class QueryPattern
{
    private readonly TemplatePiece[] _pieces;
    private readonly int _firstPlaceholder;
    private readonly StringComparison _comparison;
    private readonly bool _everything;

    public QueryPattern(string text, int firstPlaceholder, bool ignoreCase)
    {
        _pieces = [.. TemplateText.Split(text)];
        _firstPlaceholder = firstPlaceholder;
        _comparison = ignoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        _everything = _pieces is [{ IsPlaceholder: true }];
    }

    public bool Matches(ReadOnlySpan<char> query)
    {
        var none = default(Captures);
        return TryMatch(query, ref none, capture: false);
    }

    public bool TryMatch(ReadOnlySpan<char> query, ref Captures captures, bool capture = true)
    {
        if (_everything)
        {
            if (capture) captures.Set(_firstPlaceholder, 0, query.Length, inQuery: true);
            return true;
        }

        var at = 0;
        var placeholder = _firstPlaceholder;
        foreach (var piece in _pieces)
        {
            if (!piece.IsPlaceholder)
            {
                if (!query[at..].StartsWith(piece.Text, _comparison)) return false;
                at += piece.Text.Length;
                continue;
            }

            var ampersand = query[at..].IndexOf('&');
            var end = ampersand < 0 ? query.Length : at + ampersand;
            if (capture) captures.Set(placeholder, at, end - at, inQuery: true);
            placeholder++;
            at = end;
        }

        return at == query.Length || query[at] == '&' || _pieces.Length == 0;
    }
}
