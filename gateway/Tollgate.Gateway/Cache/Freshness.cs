using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace Tollgate.Gateway.Cache;

/// <summary>Whether and for how long an answer may be kept by its own headers (RFC 9111 §3 and §4.2).</summary>
internal static class Freshness
{
    /// <summary>The answer without its body; null = it is not kept.</summary>
    public static CachedAnswer? Of(int status, KeyValuePair<string, StringValues>[] headers, HttpCacheRule rule, string region, long nowUnixMs)
    {
        if (status is < 200 or 206 or 304) return null;
        var draft = new CachedAnswer { Status = status, Headers = headers, Region = region };
        var directives = new CacheDirectives(draft.Header("Cache-Control").ToString());
        if (directives.Has("no-store") || directives.Has("private") || draft.Header("Set-Cookie").Count > 0) return null;
        var vary = draft.Header("Vary").ToString();
        if (vary.Contains('*')) return null;

        var explicitly = (directives.Seconds("s-maxage") ?? directives.Seconds("max-age")) * 1000 ?? ExpiresIn(draft, nowUnixMs);
        if (explicitly is null && !IsKeptWithoutAWord(status)) return null;
        var lifetime = Math.Min(explicitly ?? rule.DefaultTtlMs, rule.MaxTtlMs ?? long.MaxValue);
        var age = long.TryParse(draft.Header("Age").ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? Math.Min(seconds, int.MaxValue) * 1000 : 0;
        var asksFirst = directives.Has("no-cache");
        var isStrict = asksFirst || directives.Has("must-revalidate") || directives.Has("proxy-revalidate");
        var freshUntil = asksFirst ? 0 : nowUnixMs - age + lifetime;
        var staleWhile = isStrict ? 0 : directives.Seconds("stale-while-revalidate") * 1000 ?? rule.StaleWhileRevalidateMs;
        var staleError = isStrict ? 0 : directives.Seconds("stale-if-error") * 1000 ?? rule.StaleIfErrorMs;
        var etag = draft.Header("ETag").ToString();
        var modified = draft.Header("Last-Modified").ToString();
        if (freshUntil <= nowUnixMs && staleWhile + staleError == 0 && etag.Length + modified.Length == 0) return null;

        return draft with
        {
            BornUnixMs = nowUnixMs - age,
            FreshUntilUnixMs = freshUntil,
            StaleWhileRevalidateUntilUnixMs = freshUntil + staleWhile,
            StaleIfErrorUntilUnixMs = freshUntil + staleError,
            ETag = etag.Length > 0 ? etag : null,
            LastModified = modified.Length > 0 ? modified : null,
            Vary = vary.Length == 0 ? null : [.. vary.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(name => name.ToLowerInvariant()).Distinct().Order(StringComparer.Ordinal)],
            Tags = TagsOf(draft, rule),
        };
    }

    private static long? ExpiresIn(CachedAnswer answer, long nowUnixMs)
    {
        if (answer.Header("Expires") is not { Count: > 0 } expires) return null;
        if (!TryDate(expires.ToString(), out var until)) return 0;
        var now = TryDate(answer.Header("Date").ToString(), out var date) ? date : DateTimeOffset.FromUnixTimeMilliseconds(nowUnixMs);
        return Math.Max(0, (long)(until - now).TotalMilliseconds);
    }

    // RFC 9110 §15.1.
    private static bool IsKeptWithoutAWord(int status) => status is 200 or 203 or 204 or 300 or 301 or 308 or 404 or 405 or 410 or 414 or 501;

    private static string[] TagsOf(CachedAnswer answer, HttpCacheRule rule) =>
        [.. $"{rule.Tags},{answer.Header("Cache-Tag")},{answer.Header("Surrogate-Key").ToString().Replace(' ', ',')}"
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.OrdinalIgnoreCase)];

    internal static bool TryDate(string text, out DateTimeOffset date) =>
        DateTimeOffset.TryParseExact(text, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out date);
}
