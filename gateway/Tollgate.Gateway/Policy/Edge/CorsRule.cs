using System.Collections.Frozen;

namespace Tollgate.Gateway.Policy.Edge;

/// <summary>Which pages of other origins may call a route from a browser (the Fetch standard's CORS protocol).</summary>
internal sealed class CorsRule
{
    private readonly FrozenSet<string> _origins;
    private readonly (string Scheme, string Suffix)[] _wildcards;
    private readonly FrozenSet<string>? _methods;
    private readonly FrozenSet<string>? _headers;

    /// <param name="origins"><c>https://app.example.com</c>, <c>https://*.example.com</c>, or <c>*</c>.</param>
    /// <param name="methods">Empty = all that the route takes.</param>
    /// <param name="headers">Empty = all.</param>
    /// <param name="exposed">Beside the gateway's own.</param>
    public CorsRule(IReadOnlyList<string> origins, IReadOnlyList<string> methods, IReadOnlyList<string> headers, IReadOnlyList<string> exposed, bool credentials, int maxAgeSeconds)
    {
        IsForAll = origins.Contains("*");
        _origins = origins.Where(origin => !origin.Contains('*')).ToFrozenSet(StringComparer.OrdinalIgnoreCase);
        _wildcards = [.. origins.Where(origin => origin.Contains("://*.")).Select(origin => (origin[..(origin.IndexOf("://", StringComparison.Ordinal) + 3)], origin[(origin.IndexOf('*') + 1)..]))];
        _methods = methods.Count == 0 ? null : methods.ToFrozenSet(StringComparer.OrdinalIgnoreCase);
        _headers = headers.Count == 0 ? null : headers.ToFrozenSet(StringComparer.OrdinalIgnoreCase);
        Exposed = string.Join(", ", new[] { "X-Request-Id", "RateLimit", "RateLimit-Policy", "Retry-After" }.Concat(exposed).Distinct(StringComparer.OrdinalIgnoreCase));
        Credentials = credentials;
        MaxAge = maxAgeSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }

    public bool IsForAll { get; }

    /// <summary><c>Access-Control-Expose-Headers</c>.</summary>
    public string Exposed { get; }

    public bool Credentials { get; }
    public string MaxAge { get; }

    public bool AllowsOrigin(string origin)
    {
        if (IsForAll || _origins.Contains(origin)) return true;
        foreach (var (scheme, suffix) in _wildcards)
            if (origin.Length > scheme.Length + suffix.Length && origin.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) && origin.EndsWith(suffix, StringComparison.OrdinalIgnoreCase) &&
                origin.AsSpan(scheme.Length, origin.Length - scheme.Length - suffix.Length).IndexOfAny("/@:?#") < 0)    // names of hosts alone
                return true;
        return false;
    }

    /// <param name="headers"><c>Access-Control-Request-Headers</c>.</param>
    public bool AllowsRequest(string method, string headers)
    {
        if (_methods is not null && !_methods.Contains(method)) return false;
        if (_headers is null) return true;
        foreach (var header in headers.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            if (!_headers.Contains(header))
                return false;
        return true;
    }
}
