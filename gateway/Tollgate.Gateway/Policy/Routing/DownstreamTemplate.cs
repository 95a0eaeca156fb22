using System.Buffers;

namespace Tollgate.Gateway.Policy.Routing;

/// <summary>A compiled <c>DownstreamPathTemplate</c>: makes the address that a call is sent to.</summary>
internal sealed class DownstreamTemplate
{
    private readonly Piece[] _path;
    private readonly Piece[] _query;
    private readonly string[] _placeholders;
    private readonly string[] _names;
    private readonly bool _hasQuery;
    private readonly bool _endsWithSlash;

    /// <param name="upstream">Whose placeholders fill it. A name that is not among them is sent as it is written.</param>
    /// <param name="fillings">Further names, whose values do not stand in path or query.</param>
    public DownstreamTemplate(string text, UpstreamTemplate upstream, IEnumerable<string>? fillings = null)
    {
        Text = text;
        _placeholders = upstream.Placeholders;
        _names = [.. _placeholders, .. fillings ?? []];
        var question = text.IndexOf('?');
        _hasQuery = question >= 0;
        _path = Compile(_hasQuery ? text[..question] : text);
        _endsWithSlash = (_hasQuery ? text.AsSpan(0, question) : text).EndsWith("/");
        _query = _hasQuery ? Compile(text[(question + 1)..], inQuery: true) : [];
    }

    public string Text { get; }

    /// <summary>Writes the address: <paramref name="origin"/>, path and query.</summary>
    /// <param name="fillings">By placeholder; each wins over what the call has there. Escaped: a value stays within its segment or parameter.</param>
    public string Fill(string origin, ReadOnlySpan<char> path, ReadOnlySpan<char> query, in Captures captures, string?[]? fillings = null)
    {
        var writer = new AddressWriter(stackalloc char[512]);
        writer.Append(origin);
        foreach (var piece in _path) writer.Append(ValueOf(piece, path, query, in captures, fillings));

        // A slash that only the template has is Ocelot's to cut, one that the call has is the caller's.
        if (path.Length == 0 || path[^1] != '/')
            while (writer.Length > origin.Length + 1 && writer.Last == '/') writer.RemoveLast();
        else if (_endsWithSlash)
            while (writer.Length > origin.Length + 1 && writer.Written.EndsWith("//")) writer.RemoveLast();    // the last placeholder took the call's slash

        if (_hasQuery) AppendTemplateQuery(ref writer, path, query, in captures, fillings);
        else if (query.Length > 0) AppendCallQuery(ref writer, query);
        return writer.ToStringAndDispose();
    }

    // Without a query in the template the call's passes byte for byte, save for parameters that are named like a placeholder.
    private void AppendCallQuery(ref AddressWriter writer, ReadOnlySpan<char> query)
    {
        if (_placeholders.Length == 0)
        {
            writer.Append("?");
            writer.Append(query);
            return;
        }

        var separator = "?";
        foreach (var range in query.Split('&'))
        {
            var parameter = query[range];
            if (IsPlaceholder(NameOf(parameter), StringComparison.OrdinalIgnoreCase)) continue;
            writer.Append(separator);
            writer.Append(parameter);
            separator = "&";
        }
    }

    // The template's parameters come first and win; repeated names of the call stay apart, in their order.
    private void AppendTemplateQuery(ref AddressWriter writer, ReadOnlySpan<char> path, ReadOnlySpan<char> query, in Captures captures, string?[]? fillings)
    {
        writer.Append("?");
        var start = writer.Length;
        foreach (var piece in _query) writer.Append(ValueOf(piece, path, query, in captures, fillings));
        while (writer.Length > start && writer.Last == '&') writer.RemoveLast();    // a whole query that was empty
        var end = writer.Length;

        foreach (var range in query.Split('&'))
        {
            var parameter = query[range];
            if (parameter.Length == 0) continue;
            var name = NameOf(parameter);
            if (IsPlaceholder(name, StringComparison.Ordinal) || Holds(writer.Written[start..end], name)) continue;
            if (writer.Length > start) writer.Append("&");
            writer.Append(parameter);
        }

        if (writer.Length == start) writer.RemoveLast();
    }

    private ReadOnlySpan<char> ValueOf(Piece piece, ReadOnlySpan<char> path, ReadOnlySpan<char> query, in Captures captures, string?[]? fillings)
    {
        if (piece.Placeholder < 0) return piece.Text;
        if (fillings?[piece.Placeholder] is { } filling) return Uri.EscapeDataString(filling);
        return piece.Placeholder < _placeholders.Length ? captures[piece.Placeholder].In(path, query) : default;
    }

    private static bool Holds(ReadOnlySpan<char> query, ReadOnlySpan<char> name)
    {
        foreach (var range in query.Split('&'))
            if (NameOf(query[range]).SequenceEqual(name))
                return true;
        return false;
    }

    private static ReadOnlySpan<char> NameOf(ReadOnlySpan<char> parameter)
    {
        var equals = parameter.IndexOf('=');
        return equals < 0 ? parameter : parameter[..equals];
    }

    private bool IsPlaceholder(ReadOnlySpan<char> name, StringComparison comparison)
    {
        foreach (var placeholder in _placeholders)
            if (name.Equals(placeholder, comparison))
                return true;
        return false;
    }

    private Piece[] Compile(string text, bool inQuery = false)
    {
        var pieces = new List<Piece>();
        foreach (var piece in TemplateText.Split(text))
        {
            var placeholder = piece.IsPlaceholder ? Array.IndexOf(_names, piece.Text) : -1;
            var literal = piece.IsPlaceholder ? $"{{{piece.Text}}}" : piece.Text;
            pieces.Add(new Piece(inQuery ? literal : CanonicalTarget.Literal(literal), placeholder));
        }

        return [.. pieces];
    }

    private readonly record struct Piece(string Text, int Placeholder);

    private ref struct AddressWriter(Span<char> buffer)
    {
        private Span<char> _buffer = buffer;
        private char[]? _rented;

        public int Length { get; private set; }
        public readonly char Last => _buffer[Length - 1];
        public readonly ReadOnlySpan<char> Written => _buffer[..Length];

        public void RemoveLast() => Length--;

        public void Append(scoped ReadOnlySpan<char> text)
        {
            if (Length + text.Length > _buffer.Length) Grow(text.Length);
            text.CopyTo(_buffer[Length..]);
            Length += text.Length;
        }

        public readonly string ToStringAndDispose()
        {
            var text = Written.ToString();
            if (_rented is not null) ArrayPool<char>.Shared.Return(_rented);
            return text;
        }

        private void Grow(int more)
        {
            var larger = ArrayPool<char>.Shared.Rent(Math.Max(_buffer.Length * 2, Length + more));
            Written.CopyTo(larger);
            if (_rented is not null) ArrayPool<char>.Shared.Return(_rented);
            _buffer = _rented = larger;
        }
    }
}
