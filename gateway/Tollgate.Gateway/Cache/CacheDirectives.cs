using System.Globalization;

namespace Tollgate.Gateway.Cache;

/// <summary>A <c>Cache-Control</c> header (RFC 9111 §5.2). What cannot be read counts as the more careful reading.</summary>
internal readonly struct CacheDirectives
{
    private readonly List<KeyValuePair<string, string?>> _all;

    public CacheDirectives(string? header)
    {
        _all = [];
        foreach (var part in Split(header ?? ""))
        {
            var equals = part.IndexOf('=');
            var name = (equals < 0 ? part : part[..equals]).Trim();
            if (name.Length > 0) _all.Add(new(name, equals < 0 ? null : part[(equals + 1)..].Trim().Trim('"')));
        }
    }

    public bool Has(string name)
    {
        foreach (var (key, _) in _all)
            if (key.Equals(name, StringComparison.OrdinalIgnoreCase))
                return true;
        return false;
    }

    /// <summary>Null = not there. A value that is no number is zero.</summary>
    public long? Seconds(string name)
    {
        foreach (var (key, value) in _all)
            if (key.Equals(name, StringComparison.OrdinalIgnoreCase))
                return long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? Math.Min(seconds, int.MaxValue) : 0;
        return null;
    }

    // Commas within quotes belong to a value.
    private static IEnumerable<string> Split(string header)
    {
        var from = 0;
        var quoted = false;
        for (var i = 0; i < header.Length; i++)
        {
            if (header[i] == '"') quoted = !quoted;
            if (header[i] != ',' || quoted) continue;
            yield return header[from..i];
            from = i + 1;
        }

        yield return header[from..];
    }
}
