namespace Tollgate.Contracts.Fragments;

/// <summary>Where a route's calls may come in: the paths below a prefix, on one host or on all. What one service owns no other may claim.</summary>
/// <param name="Host">Null = any.</param>
/// <param name="Prefix">Without a closing slash; empty = the root alone, or with <paramref name="IsLeft"/> what nobody else claims.</param>
/// <param name="IsOpen">The prefix ends inside a segment: <c>/inv_</c>, and <c>/</c> of <c>/{tenant}/orders</c>.</param>
/// <param name="IsLeft">A bare catch-all, which comes after every other route of its host.</param>
/// <param name="Line">Of the route in its file.</param>
public sealed record PathClaim(string? Host, string Prefix, bool IsOpen, bool IsLeft, int Line)
{
    /// <summary>What a route with this <c>UpstreamPathTemplate</c> claims: its text up to the first placeholder.</summary>
    /// <param name="template">With its text in the one spelling in which paths are compared.</param>
    public static PathClaim Of(string? host, string template, int line)
    {
        var end = template.AsSpan().IndexOfAny('{', '?');
        var text = end < 0 ? template : template[..end];
        var isLeft = template.StartsWith("/{", StringComparison.Ordinal) && template.IndexOf('}') == template.Length - 1;
        if (isLeft) return new PathClaim(host, "", false, true, line);
        var isOpen = end >= 0 && template[end] == '{' && (text == "/" || !text.EndsWith('/'));
        return new PathClaim(host, isOpen ? text : text.TrimEnd('/'), isOpen, false, line);
    }

    public bool Overlaps(PathClaim other)
    {
        if (Host is not null && other.Host is not null && !Host.Equals(other.Host, StringComparison.OrdinalIgnoreCase)) return false;

        // There is one catch-all of a host. It takes nobody's paths away, save those that others own on every host: a route with a host goes before all without.
        if (IsLeft && other.IsLeft) return string.Equals(Host, other.Host, StringComparison.OrdinalIgnoreCase);
        if (IsLeft || other.IsLeft) return (IsLeft ? Host : other.Host) is not null && (IsLeft ? other.Host : Host) is null;
        return Prefix.Length <= other.Prefix.Length ? Covers(other) : other.Covers(this);
    }

    public override string ToString() => $"{Host}{(Prefix.Length == 0 ? "/" : Prefix)}{(IsOpen ? "…" : "")}";

    private bool Covers(PathClaim longer) =>
        longer.Prefix.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) &&
        (IsOpen || longer.Prefix.Length == Prefix.Length || Prefix.Length > 0 && longer.Prefix[Prefix.Length] == '/');
}
