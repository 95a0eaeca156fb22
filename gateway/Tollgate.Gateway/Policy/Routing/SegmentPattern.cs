namespace Tollgate.Gateway.Policy.Routing;

/// <summary>
/// Text between slashes (or after the last one) with placeholders in it, such as <c>inv_{a}-{b}</c>. Each placeholder takes as little as it can,
/// at least <paramref name="least"/> characters, and the last takes what is left before the closing text.
/// </summary>
/// <param name="firstPlaceholder">Number of the first placeholder within the template.</param>
internal sealed class SegmentPattern(IReadOnlyList<TemplatePiece> pieces, int firstPlaceholder, int least, bool ignoreCase)
{
    private readonly TemplatePiece[] _pieces = [.. pieces];
    private readonly StringComparison _comparison = ignoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;

    /// <summary>Literal text before the first placeholder: what the tree looks patterns up by.</summary>
    public string Prefix => _pieces[0].IsPlaceholder ? "" : _pieces[0].Text;

    public IReadOnlyList<TemplatePiece> Pieces => _pieces;

    public bool Matches(ReadOnlySpan<char> text)
    {
        var none = default(Captures);
        return TryMatch(text, 0, ref none, capture: false);
    }

    /// <param name="offset">Where <paramref name="text"/> begins within the path.</param>
    public bool TryMatch(ReadOnlySpan<char> text, int offset, ref Captures captures, bool capture = true)
    {
        var at = 0;
        var placeholder = firstPlaceholder;
        for (var i = 0; i < _pieces.Length; i++)
        {
            if (!_pieces[i].IsPlaceholder)
            {
                if (!text[at..].StartsWith(_pieces[i].Text, _comparison)) return false;
                at += _pieces[i].Text.Length;
                continue;
            }

            int end;
            if (i == _pieces.Length - 1)
            {
                end = text.Length;
            }
            else if (_pieces[i + 1].IsPlaceholder)
            {
                end = at + least;
            }
            else
            {
                // The closing text is anchored at the end; any other at its first place, which leaves the most for those after it.
                var next = _pieces[i + 1].Text;
                if (i + 2 == _pieces.Length)
                {
                    end = text.Length - next.Length;
                }
                else
                {
                    if (at + least > text.Length) return false;
                    var found = text[(at + least)..].IndexOf(next, _comparison);
                    if (found < 0) return false;
                    end = at + least + found;
                }
            }

            if (end > text.Length || end - at < least) return false;
            if (capture) captures.Set(placeholder, offset + at, end - at, inQuery: false);
            placeholder++;
            at = end;
        }

        return at == text.Length;
    }
}
