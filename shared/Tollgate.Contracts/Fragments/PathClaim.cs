namespace Tollgate.Contracts.Fragments;

/// <summary>Where a route's calls may come in: the paths below a prefix, on one host or on all. What one service owns no other may claim.</summary>
/// <param name="Host">Null = any.</param>
/// <param name="Prefix">Without a closing slash; empty = what nobody else claims.</param>
/// <param name="IsOpen">The prefix ends inside a segment: <c>/inv_</c>.</param>
/// <param name="Line">Of the route in its file.</param>
public sealed record PathClaim(string? Host, string Prefix, bool IsOpen, int Line)
{
    /// <summary>What a route with this <c>UpstreamPathTemplate</c> claims: its text up to the first placeholder.</summary>
    public static PathClaim Of(string? host, string template, int line)
    {
        var end = template.AsSpan().IndexOfAny('{', '?');
        var text = end < 0 ? template : template[..end];
        var isOpen = end >= 0 && template[end] == '{' && !text.EndsWith('/');
        return new PathClaim(host, isOpen ? text : text.TrimEnd('/'), isOpen, line);
    }

    public bool Overlaps(PathClaim other)
    {
        if (Host is not null && other.Host is not null && !Host.Equals(other.Host, StringComparison.OrdinalIgnoreCase)) return false;

        // The bare catch-all has what is left: it takes nobody's paths away, but there is one of it.
        if (Prefix.Length == 0 || other.Prefix.Length == 0)
            return Prefix.Length == other.Prefix.Length && string.Equals(Host, other.Host, StringComparison.OrdinalIgnoreCase);
        return Prefix.Length <= other.Prefix.Length ? Covers(other) : other.Covers(this);
    }

    public override string ToString() => $"{Host}{(Prefix.Length == 0 ? "/" : Prefix)}{(IsOpen ? "…" : "")}";

    private bool Covers(PathClaim longer) =>
        longer.Prefix.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) &&
        (IsOpen || longer.Prefix.Length == Prefix.Length || longer.Prefix[Prefix.Length] == '/');
}
