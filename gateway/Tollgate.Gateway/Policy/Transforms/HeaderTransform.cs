namespace Tollgate.Gateway.Policy.Transforms;

/// <summary>
/// One line of <c>UpstreamHeaderTransform</c> or <c>DownstreamHeaderTransform</c>: a header gets a value, or a text in its first value is replaced.
/// </summary>
internal sealed class HeaderTransform
{
    private const string DownstreamBaseUrl = "{DownstreamBaseUrl}";

    private readonly string? _find;
    private readonly HeaderText? _text;
    private readonly bool _findsDownstream;

    private HeaderTransform(string name, string? find, HeaderText? text)
    {
        Name = name;
        _find = find;
        _text = text;
        _findsDownstream = DownstreamBaseUrl.Equals(find, StringComparison.OrdinalIgnoreCase);
    }

    public string Name { get; }

    /// <summary>Replaces text in the header that is there; otherwise the header gets <see cref="Value"/>.</summary>
    public bool IsReplacement => _find is not null;

    /// <param name="value"><c>find, replacement</c>, or the whole value.</param>
    public static HeaderTransform Compile(string name, string value, string baseUrl)
    {
        var comma = value.IndexOf(',');
        return comma < 0
            ? new HeaderTransform(name, null, HeaderText.Compile(value, baseUrl))
            : new HeaderTransform(name, value[..comma], HeaderText.Compile(value[(comma + 1)..].TrimStart(), baseUrl));
    }

    /// <summary>Null = names what is not known: the header is not sent.</summary>
    public string? Value(in HeaderFacts facts) => _text?.Fill(in facts);

    /// <param name="destination">Scheme and authority that the call went to.</param>
    public string Replace(string value, string destination, in HeaderFacts facts)
    {
        if (_text is null || _find!.Length == 0) return value;
        if (!_findsDownstream) return value.Replace(_find, _text.Fill(in facts), StringComparison.Ordinal);

        var replacement = _text.Fill(in facts);
        return value.Replace(destination + "/", replacement.EndsWith('/') ? replacement : replacement + "/", StringComparison.OrdinalIgnoreCase);
    }
}
