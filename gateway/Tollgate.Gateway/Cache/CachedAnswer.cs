using Microsoft.Extensions.Primitives;

namespace Tollgate.Gateway.Cache;

/// <summary>An answer as the service gave it, before the gateway changed its headers. Never changed once it is kept.</summary>
internal sealed record CachedAnswer
{
    private const int Overhead = 512;

    public int Status { get; init; }
    public KeyValuePair<string, StringValues>[] Headers { get; init; } = [];
    public byte[] Body { get; init; } = [];

    /// <summary>Scheme and authority of the service that gave it.</summary>
    public string Destination { get; init; } = "";

    public string Region { get; init; } = "";
    public string[] Tags { get; init; } = [];

    /// <summary>When it was made, by its own <c>Age</c>.</summary>
    public long BornUnixMs { get; init; }

    public long FreshUntilUnixMs { get; init; }

    /// <summary>Until then it may be given while a newer one is fetched.</summary>
    public long StaleWhileRevalidateUntilUnixMs { get; init; }

    /// <summary>Until then it may be given when no newer one can be fetched.</summary>
    public long StaleIfErrorUntilUnixMs { get; init; }

    public string? ETag { get; init; }
    public string? LastModified { get; init; }

    /// <summary>Request headers that tell answers of this address apart; null = none do.</summary>
    public string[]? Vary { get; init; }

    /// <summary>Holds no answer, but says by <see cref="Vary"/> where the answers are.</summary>
    public bool IsSignpost { get; init; }

    public bool HasValidator => ETag is not null || LastModified is not null;

    /// <summary>What it takes of the cache's bytes.</summary>
    public int Size
    {
        get
        {
            var size = Overhead + Body.Length;
            foreach (var (name, values) in Headers)
            {
                size += 2 * name.Length + 64;
                foreach (var value in values) size += 2 * (value?.Length ?? 0) + 32;
            }

            return size;
        }
    }

    public StringValues Header(string name)
    {
        foreach (var (key, values) in Headers)
            if (key.Equals(name, StringComparison.OrdinalIgnoreCase))
                return values;
        return default;
    }

    /// <summary>The same answer after the service said that it still holds (RFC 9111 §4.3.4).</summary>
    public CachedAnswer Freshened(KeyValuePair<string, StringValues>[] newer, CachedAnswer times) => this with
    {
        Headers = [.. Headers.Where(old => !newer.Any(header => header.Key.Equals(old.Key, StringComparison.OrdinalIgnoreCase))), .. newer],
        BornUnixMs = times.BornUnixMs,
        FreshUntilUnixMs = times.FreshUntilUnixMs,
        StaleWhileRevalidateUntilUnixMs = times.StaleWhileRevalidateUntilUnixMs,
        StaleIfErrorUntilUnixMs = times.StaleIfErrorUntilUnixMs,
        ETag = times.ETag ?? ETag,
        LastModified = times.LastModified ?? LastModified,
    };
}
