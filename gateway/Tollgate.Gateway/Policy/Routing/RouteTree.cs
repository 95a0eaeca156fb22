namespace Tollgate.Gateway.Policy.Routing;

/// <summary>
/// Routes by the segments of their templates. What a look-up costs follows the length of the path and the routes that share it, not the number of
/// routes. Of all that match, the one with the lowest rank wins.
/// </summary>
internal sealed class RouteTree(bool caseSensitive)
{
    private readonly Node _root = new();
    private readonly StringComparer _comparer = caseSensitive ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase;

    /// <summary>Adds a route. All are added before the first look-up, in the order of their ranks.</summary>
    public void Add(Route route)
    {
        var template = route.Template;
        var node = _root.Covering(route.Rank);
        for (var i = 0; i < template.Segments.Length; i++)
        {
            var segment = template.Segments[i];
            var last = i == template.Segments.Length - 1 && !template.ClosingSlash;
            if (segment.Literal is { } literal)
            {
                node = node.Child(literal, _comparer).Covering(route.Rank);
            }
            else if (last)
            {
                if (segment.IsPlaceholder) node.Rests.Add(route);
                else node.AddTail(new Tail(segment.Pattern, route), _comparer);
                return;
            }
            else
            {
                node = (segment.IsPlaceholder ? node.Any ??= new Node() : node.Child(segment, _comparer)).Covering(route.Rank);
            }
        }

        (template.ClosingSlash ? node.SlashEnds : node.Ends).Add(route);
    }

    public void Find(ReadOnlySpan<char> path, in RouteQuestion question, ref Route? best) => Find(_root, path, in question, ref best);

    private static void Find(Node node, ReadOnlySpan<char> rest, in RouteQuestion question, ref Route? best)
    {
        if (best is not null && best.Rank <= node.LowestRank) return;

        Choose(node.Rests, in question, ref best);
        if (rest.Length <= 1) Choose(node.SlashEnds, in question, ref best);
        if (rest.Length == 0)
        {
            Choose(node.Ends, in question, ref best);
            return;
        }

        var text = rest[1..];
        node.Tails?.Find(text, in question, ref best);

        var slash = text.IndexOf('/');
        var segment = slash < 0 ? text : text[..slash];
        if (segment.Length == 0) return;
        rest = text[segment.Length..];

        if (node.Literals is not null && node.LiteralLookup.TryGetValue(segment, out var child)) Find(child, rest, in question, ref best);
        node.Patterns?.Find(segment, rest, in question, ref best);
        if (node.Any is not null) Find(node.Any, rest, in question, ref best);
    }

    private static void Choose(List<Route> candidates, in RouteQuestion question, ref Route? best)
    {
        foreach (var candidate in candidates)
        {
            if (best is not null && best.Rank <= candidate.Rank) return;
            if (!question.IsAnsweredBy(candidate)) continue;
            best = candidate;
            return;
        }
    }

    /// <summary>Everything that can follow one beginning of a path.</summary>
    private sealed class Node
    {
        public int LowestRank = int.MaxValue;

        /// <summary>The path ends here.</summary>
        public readonly List<Route> Ends = [];

        /// <summary>The path ends here, with or without a slash.</summary>
        public readonly List<Route> SlashEnds = [];

        /// <summary>Whatever follows, also nothing.</summary>
        public readonly List<Route> Rests = [];

        /// <summary>Text with placeholders up to the end, slashes included.</summary>
        public TailIndex? Tails;

        public Dictionary<string, Node>? Literals;
        public Dictionary<string, Node>.AlternateLookup<ReadOnlySpan<char>> LiteralLookup;
        public PatternIndex? Patterns;
        public Node? Any;

        public Node Covering(int rank)
        {
            LowestRank = Math.Min(LowestRank, rank);
            return this;
        }

        public Node Child(string literal, StringComparer comparer)
        {
            if (Literals is null)
            {
                Literals = new Dictionary<string, Node>(comparer);
                LiteralLookup = Literals.GetAlternateLookup<ReadOnlySpan<char>>();
            }

            if (!Literals.TryGetValue(literal, out var child)) Literals.Add(literal, child = new Node());
            return child;
        }

        public Node Child(UpstreamTemplate.Segment segment, StringComparer comparer) => (Patterns ??= new PatternIndex(comparer)).Child(segment);

        public void AddTail(Tail tail, StringComparer comparer) => (Tails ??= new TailIndex(comparer)).Add(tail);
    }

    private readonly record struct Tail(SegmentPattern Pattern, Route Route);

    /// <summary>Children reached by a segment with both text and placeholders.</summary>
    private sealed class PatternIndex(StringComparer comparer)
    {
        private readonly PrefixIndex<(SegmentPattern Pattern, Node Node)> _byPrefix = new(comparer);

        public Node Child(UpstreamTemplate.Segment segment)
        {
            var bucket = _byPrefix.Bucket(segment.Pattern.Prefix);
            foreach (var (pattern, known) in bucket)
                if (SameShape(pattern.Pieces, segment.Pieces))
                    return known;
            var node = new Node();
            bucket.Add((segment.Pattern, node));
            return node;
        }

        public void Find(ReadOnlySpan<char> segment, ReadOnlySpan<char> rest, in RouteQuestion question, ref Route? best)
        {
            foreach (var length in _byPrefix.Lengths)
            {
                if (!_byPrefix.TryGet(segment, length, out var bucket)) continue;
                foreach (var (pattern, node) in bucket)
                    if (pattern.Matches(segment))
                        RouteTree.Find(node, rest, in question, ref best);
            }
        }

        // Placeholders match alike whatever their names.
        private bool SameShape(IReadOnlyList<TemplatePiece> a, IReadOnlyList<TemplatePiece> b)
        {
            if (a.Count != b.Count) return false;
            for (var i = 0; i < a.Count; i++)
                if (a[i].IsPlaceholder != b[i].IsPlaceholder || !a[i].IsPlaceholder && !comparer.Equals(a[i].Text, b[i].Text))
                    return false;
            return true;
        }
    }

    private sealed class TailIndex(StringComparer comparer)
    {
        private readonly PrefixIndex<Tail> _byPrefix = new(comparer);

        public void Add(Tail tail) => _byPrefix.Bucket(tail.Pattern.Prefix).Add(tail);

        public void Find(ReadOnlySpan<char> text, in RouteQuestion question, ref Route? best)
        {
            foreach (var length in _byPrefix.Lengths)
            {
                if (!_byPrefix.TryGet(text, length, out var bucket)) continue;
                foreach (var tail in bucket)
                {
                    if (best is not null && best.Rank <= tail.Route.Rank) break;
                    if (!question.IsAnsweredBy(tail.Route) || !tail.Pattern.Matches(text)) continue;
                    best = tail.Route;
                    break;
                }
            }
        }
    }

    /// <summary>Finds what begins with the same literal text, by one look-up for each length that such texts have.</summary>
    private sealed class PrefixIndex<T>
    {
        private readonly Dictionary<string, List<T>> _buckets;
        private readonly Dictionary<string, List<T>>.AlternateLookup<ReadOnlySpan<char>> _lookup;

        public PrefixIndex(StringComparer comparer)
        {
            _buckets = new Dictionary<string, List<T>>(comparer);
            _lookup = _buckets.GetAlternateLookup<ReadOnlySpan<char>>();
        }

        public List<int> Lengths { get; } = [];

        public List<T> Bucket(string prefix)
        {
            if (_buckets.TryGetValue(prefix, out var bucket)) return bucket;
            _buckets.Add(prefix, bucket = []);
            if (!Lengths.Contains(prefix.Length)) Lengths.Add(prefix.Length);
            return bucket;
        }

        public bool TryGet(ReadOnlySpan<char> text, int length, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out List<T>? bucket)
        {
            bucket = null;
            return text.Length >= length && _lookup.TryGetValue(text[..length], out bucket);
        }
    }
}
