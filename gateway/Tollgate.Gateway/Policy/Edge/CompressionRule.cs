using System.Collections.Frozen;
using System.Globalization;
using System.IO.Compression;

namespace Tollgate.Gateway.Policy.Edge;

/// <summary>Which answers of a route are compressed on their way to a caller that takes it.</summary>
internal sealed class CompressionRule
{
    public static readonly string[] DefaultTypes =
    [
        "text/*", "application/json", "application/*+json", "application/xml", "application/*+xml", "application/javascript", "application/wasm",
        "application/x-ndjson", "image/svg+xml", "font/ttf",
    ];

    private readonly FrozenSet<string> _types;
    private readonly (string Beginning, string End)[] _patterns;
    private readonly string[] _codings;

    /// <param name="types">Media types, with <c>*</c> for a part.</param>
    /// <param name="codings">In the order of preference.</param>
    public CompressionRule(IReadOnlyList<string> types, IReadOnlyList<string> codings, long minBytes, CompressionLevel level)
    {
        _types = types.Where(type => !type.Contains('*')).ToFrozenSet(StringComparer.OrdinalIgnoreCase);
        _patterns = [.. types.Where(type => type.Contains('*')).Select(type => (type[..type.IndexOf('*')], type[(type.IndexOf('*') + 1)..]))];
        _codings = [.. codings];
        MinBytes = minBytes;
        Level = level;
    }

    /// <summary>Shorter answers are not worth it.</summary>
    public long MinBytes { get; }

    public CompressionLevel Level { get; }

    /// <summary>Whether a type is worth it. Never streams of events or gRPC, whose messages must leave as they come.</summary>
    public bool Takes(string? contentType)
    {
        if (contentType is null) return false;
        var semicolon = contentType.IndexOf(';');
        var type = (semicolon < 0 ? contentType : contentType[..semicolon]).Trim();
        if (type.Equals("text/event-stream", StringComparison.OrdinalIgnoreCase) || type.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)) return false;
        if (_types.Contains(type)) return true;
        foreach (var (beginning, end) in _patterns)
            if (type.Length >= beginning.Length + end.Length && type.StartsWith(beginning, StringComparison.OrdinalIgnoreCase) && type.EndsWith(end, StringComparison.OrdinalIgnoreCase))
                return true;
        return false;
    }

    /// <summary>The coding for a caller's <c>Accept-Encoding</c> (RFC 9110 §12.5.3); null = none.</summary>
    public string? Choose(string acceptEncoding)
    {
        string? best = null;
        var bestWeight = Weight(acceptEncoding, "identity") ?? 0;    // a caller may like it better, if he says so
        foreach (var coding in _codings)
        {
            var weight = Weight(acceptEncoding, coding) ?? Weight(acceptEncoding, "*") ?? 0;
            if (weight > 0 && (weight > bestWeight || best is null && weight == bestWeight)) (best, bestWeight) = (coding, weight);
        }

        return best;
    }

    // Null = it is not named.
    private static double? Weight(string acceptEncoding, string coding)
    {
        foreach (var range in acceptEncoding.AsSpan().Split(','))
        {
            var item = acceptEncoding.AsSpan()[range];
            var semicolon = item.IndexOf(';');
            var name = (semicolon < 0 ? item : item[..semicolon]).Trim();
            if (!name.Equals(coding, StringComparison.OrdinalIgnoreCase)) continue;
            if (semicolon < 0) return 1;
            var parameter = item[(semicolon + 1)..].Trim();
            if (!parameter.StartsWith("q=", StringComparison.OrdinalIgnoreCase)) return 1;
            return double.TryParse(parameter[2..], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var weight) ? weight : 0;
        }

        return null;
    }
}
