using System.Globalization;
using Tollgate.Gateway.Balancing;

namespace Tollgate.Gateway.Ocelot;

/// <summary><c>QoSOptions</c> of a route or of the whole file, under its new and old names; where both are written, the old one counts.</summary>
internal sealed class OcelotQuality
{
    public int? Calls { get; init; }
    public long? BreakMs { get; init; }
    public double? Ratio { get; init; }
    public long? SamplingMs { get; init; }

    /// <summary>Null = the route's time-out alone.</summary>
    public int? TimeoutMs { get; init; }

    public IReadOnlyList<string> RouteKeys { get; init; } = [];

    public static OcelotQuality? Read(JsonEntry parent, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        if (parent.ReadObject("QoSOptions", errors) is not { Members.Count: > 0 } json) return null;
        var quality = new OcelotQuality
        {
            Calls = (int?)(Number(json, "ExceptionsAllowedBeforeBreaking", errors) ?? Number(json, "MinimumThroughput", errors)),
            BreakMs = Number(json, "DurationOfBreak", errors) ?? Number(json, "BreakDuration", errors),
            Ratio = Share(json, errors),
            SamplingMs = Number(json, "SamplingDuration", errors),
            TimeoutMs = (int?)(Number(json, "TimeoutValue", errors) ?? Number(json, "Timeout", errors)),
            RouteKeys = json.ReadTexts("RouteKeys", errors),
        };

        // Its documentation showed 5 for years, and meant seconds.
        if (quality is { Calls: not null, BreakMs: < 100 } or { Ratio: not null, BreakMs: < 100 })
            warnings.Add(json.Error(json["DurationOfBreak"] is null ? "BreakDuration" : "DurationOfBreak", $"{quality.BreakMs} ms are hardly a break: these are milliseconds, and Ocelot makes 5000 of anything up to 500."));
        return quality;
    }

    /// <summary>Property by property, the route before the global part; zero = not written.</summary>
    public static OcelotQuality Merge(OcelotRoute route, OcelotGlobal global)
    {
        var own = route.Quality;
        var shared = global.Quality is { RouteKeys.Count: > 0 } some && (route.Key is null || !some.RouteKeys.Contains(route.Key)) ? null : global.Quality;
        return new OcelotQuality
        {
            Calls = own?.Calls ?? shared?.Calls,
            BreakMs = own?.BreakMs ?? shared?.BreakMs,
            Ratio = own?.Ratio ?? shared?.Ratio,
            SamplingMs = own?.SamplingMs ?? shared?.SamplingMs,
            TimeoutMs = own?.TimeoutMs ?? shared?.TimeoutMs,
        };
    }

    /// <summary>Null = the circuit never opens.</summary>
    public CircuitRule? Rule => Calls is null && Ratio is null ? null : new CircuitRule(Calls ?? 100, BreakMs ?? 5000, Ratio, SamplingMs ?? 10_000);

    private static long? Number(JsonEntry json, string name, List<ConfigurationError> errors) =>
        json.ReadNumber(name, 0, int.MaxValue, errors) is { } number and > 0 ? number : null;

    private static double? Share(JsonEntry json, List<ConfigurationError> errors)
    {
        if (json.ReadText("FailureRatio", errors) is not { Length: > 0 } text) return null;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var ratio) && ratio <= 1) return ratio > 0 ? ratio : null;
        errors.Add(json.Error("FailureRatio", "expected a share from 0 to 1 here."));
        return null;
    }
}
