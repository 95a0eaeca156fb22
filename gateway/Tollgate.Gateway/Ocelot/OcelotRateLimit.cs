using System.Globalization;
using Tollgate.Gateway.Policy.FileLimits;

namespace Tollgate.Gateway.Ocelot;

/// <summary><c>RateLimitOptions</c> of a route or of the whole file, under its new and old names; where both are written, the old one counts.</summary>
internal sealed class OcelotRateLimit
{
    private const string DefaultMessage = "API calls quota exceeded! Maximum admitted {0} per {1}.";

    public required JsonEntry Json { get; init; }
    public string? ClientIdHeader { get; init; }
    public IReadOnlyList<string>? ClientWhitelist { get; init; }
    public bool? Enabled { get; init; }

    /// <summary>Null = not written.</summary>
    public long? Limit { get; init; }

    /// <summary>As written, such as <c>1m</c>.</summary>
    public string? Period { get; init; }

    public long? PeriodMs { get; init; }
    public long? WaitMs { get; init; }
    public int? StatusCode { get; init; }
    public string? QuotaMessage { get; init; }
    public bool? EnableHeaders { get; init; }
    public IReadOnlyList<string> RouteKeys { get; init; } = [];

    public static OcelotRateLimit? Read(JsonEntry parent, List<ConfigurationError> errors)
    {
        if ((parent.ReadObject("RateLimitOptions", errors) ?? parent.ReadObject("RateLimitRule", errors)) is not { Members.Count: > 0 } json) return null;

        var period = Text(json, "Period", errors);
        return new OcelotRateLimit
        {
            Json = json,
            ClientIdHeader = Header(json, errors),
            ClientWhitelist = json["ClientWhitelist"] is null ? null : json.ReadTexts("ClientWhitelist", errors),
            Enabled = json.ReadFlag("EnableRateLimiting", errors),
            Limit = json.ReadNumber("Limit", 0, long.MaxValue / 2, errors),
            Period = period,
            PeriodMs = Span(json, "Period", period, errors),
            WaitMs = Seconds(json, errors) ?? Span(json, "Wait", Text(json, "Wait", errors), errors),
            StatusCode = (int?)(json.ReadNumber("HttpStatusCode", 100, 999, errors) ?? json.ReadNumber("StatusCode", 100, 999, errors)),
            QuotaMessage = Text(json, "QuotaExceededMessage", errors) ?? Text(json, "QuotaMessage", errors),
            EnableHeaders = !json.ReadFlag("DisableRateLimitHeaders", errors) ?? json.ReadFlag("EnableHeaders", errors),
            RouteKeys = json.ReadTexts("RouteKeys", errors),
        };
    }

    /// <summary>
    /// The rule of a route: property by property its own before the global one. A global one without a limit gives defaults and limits nobody.
    /// </summary>
    public static RateRule? Merge(OcelotRoute route, OcelotGlobal global, List<ConfigurationError>? errors = null)
    {
        var own = route.RateLimit;
        var shared = global.RateLimit is { RouteKeys.Count: > 0 } some && (route.Key is null || !some.RouteKeys.Contains(route.Key)) ? null : global.RateLimit;
        if (!(own?.Enabled ?? shared?.Enabled ?? true) || own is null && shared?.Limit is null or 0) return null;

        var limit = own?.Limit ?? shared?.Limit ?? 0;
        var period = own?.PeriodMs ?? shared?.PeriodMs ?? 0;
        if (limit <= 0) Refuse("Limit", "a limit above 0 is needed here.");
        if (period <= 0 && (own?.Period ?? shared?.Period) is null) Refuse("Period", "a period such as 1s, 5m, 1h or 1d is needed here.");
        if (limit <= 0 || period <= 0) return null;

        return new RateRule
        {
            ClientHeader = own?.ClientIdHeader ?? shared?.ClientIdHeader ?? "Oc-Client",
            Free = [.. own?.ClientWhitelist ?? shared?.ClientWhitelist ?? []],
            Limit = limit,
            PeriodMs = period,
            WaitMs = own?.WaitMs ?? shared?.WaitMs,
            Status = (own?.StatusCode ?? shared?.StatusCode) is { } status and >= 200 ? status : 429,
            Message = (own?.QuotaMessage ?? shared?.QuotaMessage ?? DefaultMessage)
                .Replace("{0}", limit.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
                .Replace("{1}", own?.Period ?? shared?.Period, StringComparison.Ordinal),
            Tells = own?.EnableHeaders ?? shared?.EnableHeaders ?? true,
        };

        // The global rule is looked at once for each route, and its mistake said once.
        void Refuse(string property, string sentence)
        {
            var error = (own ?? shared)!.Json.Error(property, sentence);
            if (errors?.Contains(error) == false) errors.Add(error);
        }
    }

    /// <summary>What is written and cannot be done: a status below 200 ends no call (RFC 9110 §15.2).</summary>
    public void WarnOfStatus(List<ConfigurationError> warnings)
    {
        if (StatusCode is { } status and < 200)
            warnings.Add(Json.Error(Json["HttpStatusCode"] is null ? "StatusCode" : "HttpStatusCode", $"{status} is no answer that ends a call: refused calls get 429."));
    }

    private static string? Text(JsonEntry json, string name, List<ConfigurationError> errors) => json.ReadText(name, errors) is { } text && !string.IsNullOrWhiteSpace(text) ? text.Trim() : null;

    private static string? Header(JsonEntry json, List<ConfigurationError> errors)
    {
        var name = Text(json, "ClientIdHeader", errors);
        if (name is not null && !OcelotValidation.IsToken(name)) errors.Add(json.Error("ClientIdHeader", $"\"{name}\" is not a header name."));
        return name;
    }

    private static long? Span(JsonEntry json, string name, string? text, List<ConfigurationError> errors)
    {
        if (text is null) return null;
        var digits = text.TrimEnd("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ".ToCharArray());
        var unit = text[digits.Length..].Trim().ToLowerInvariant() switch { "ms" => 1m, "s" => 1_000m, "m" => 60_000m, "h" => 3_600_000m, "d" => 86_400_000m, _ => 0m };
        if (unit > 0 && decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number > 0 && number < 1_000_000_000m)
            return Math.Max(1, (long)(number * unit));
        errors.Add(json.Error(name, $"\"{text}\" is not a time such as 500ms, 1s, 5m, 1.5h or 1d."));
        return null;
    }

    private static long? Seconds(JsonEntry json, List<ConfigurationError> errors)
    {
        if (Text(json, "PeriodTimespan", errors) is not { } text) return null;
        if (decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds < 1_000_000_000m)
            return seconds == 0 ? null : Math.Max(1, (long)(seconds * 1000));
        errors.Add(json.Error("PeriodTimespan", $"\"{text}\" is not a number of seconds."));
        return null;
    }
}
