using Tollgate.Gateway.Cache;

namespace Tollgate.Gateway.Ocelot;

/// <summary><c>"Tollgate": { "Cache": { … } }</c> of a route: answers are kept as their own headers say (RFC 9111).</summary>
internal static class TollgateCache
{
    public static CacheRule? Read(JsonEntry tollgate, List<ConfigurationError> errors)
    {
        if (tollgate["Cache"] is { Kind: JsonEntryKind.Scalar }) return tollgate.ReadFlag("Cache", errors) == true ? new CacheRule { Http = new HttpCacheRule(0, null, 0, 0, "", true) } : null;
        if (tollgate.ReadObject("Cache", errors) is not { } json || json.ReadFlag("Enabled", errors) == false) return null;
        return new CacheRule
        {
            Region = json.ReadText("Region", errors)?.Trim() ?? "",
            Http = new HttpCacheRule(
                Seconds(json, "TtlSeconds", errors) ?? 0,
                Seconds(json, "MaxTtlSeconds", errors),
                Seconds(json, "StaleWhileRevalidateSeconds", errors) ?? 0,
                Seconds(json, "StaleIfErrorSeconds", errors) ?? 0,
                string.Join(',', json.ReadTexts("Tags", errors)),
                !(json.ReadFlag("IgnoreRequestCacheControl", errors) ?? false)),
        };
    }

    private static long? Seconds(JsonEntry json, string name, List<ConfigurationError> errors) => json.ReadNumber(name, 0, int.MaxValue, errors) * 1000;
}
