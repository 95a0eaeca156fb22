using System.Globalization;

namespace Tollgate.Gateway.Ocelot;

/// <summary>Reads the words of a <c>"Tollgate"</c> block that Ocelot has none for: durations, shares, status lists, choices. What has no meaning there is said.</summary>
internal static class TollgateBlock
{
    /// <summary>A duration such as <c>250ms</c>, <c>10s</c>, <c>5m</c> or <c>1h</c>, in milliseconds.</summary>
    public static long? ReadDuration(this JsonEntry json, string name, long minMs, long maxMs, List<ConfigurationError> errors)
    {
        if (json.ReadText(name, errors) is not { Length: > 0 } text) return null;
        var digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        var unit = digits <= 0 ? 0 : text.AsSpan(digits).Trim() switch { "ms" => 1L, "s" => 1000, "m" => 60_000, "h" => 3_600_000, "d" => 86_400_000, _ => 0 };
        if (unit > 0 && long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= maxMs / unit && number * unit >= minMs) return number * unit;
        errors.Add(json.Error(name, $"expected a duration from {Text(minMs)} to {Text(maxMs)} here, such as \"250ms\", \"10s\", \"5m\" or \"1h\"."));
        return null;
    }

    /// <summary>A number with at most four decimals.</summary>
    public static double? ReadDecimal(this JsonEntry json, string name, double min, double max, List<ConfigurationError> errors)
    {
        if (json.ReadText(name, errors) is not { Length: > 0 } text) return null;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max) return number;
        errors.Add(json.Error(name, string.Create(CultureInfo.InvariantCulture, $"expected a number from {min} to {max} here.")));
        return null;
    }

    /// <summary>Status codes: <c>[ 502, "5xx", "500-504" ]</c>; null = not written.</summary>
    public static int[]? ReadStatuses(this JsonEntry json, string name, List<ConfigurationError> errors)
    {
        if (json[name] is null) return null;
        var statuses = new List<int>();
        foreach (var text in json.ReadTexts(name, errors))
        {
            var dash = text.IndexOf('-');
            if (text.Length == 3 && text.EndsWith("xx", StringComparison.OrdinalIgnoreCase) && text[0] is >= '1' and <= '5') statuses.AddRange(Enumerable.Range((text[0] - '0') * 100, 100));
            else if (IsStatus(text, out var one)) statuses.Add(one);
            else if (dash > 0 && IsStatus(text[..dash], out var from) && IsStatus(text[(dash + 1)..], out var to) && from <= to) statuses.AddRange(Enumerable.Range(from, to - from + 1));
            else errors.Add(json.Error(name, $"\"{text}\" is not a status: write 503, \"5xx\" or \"500-504\"."));
        }

        return [.. statuses];
    }

    /// <summary>One of several words, whatever their case; null = not written, or none of them.</summary>
    public static string? ReadChoice(this JsonEntry json, string name, string[] choices, List<ConfigurationError> errors)
    {
        if (json.ReadText(name, errors) is not { Length: > 0 } text) return null;
        if (Array.Find(choices, choice => choice.Equals(text.Trim(), StringComparison.OrdinalIgnoreCase)) is { } found) return found;
        errors.Add(json.Error(name, $"\"{text}\" is none of {string.Join(", ", choices)}.{(WordDistance.Nearest(text, choices) is { } near ? $" Did you mean {near}?" : "")}"));
        return null;
    }

    /// <summary>A typing mistake in a name changes nothing, silently: it is said.</summary>
    public static void WarnOfUnknown(this JsonEntry json, string[] names, List<ConfigurationError> warnings)
    {
        foreach (var (name, value) in json.Members)
            if (!names.Contains(name, StringComparer.OrdinalIgnoreCase) && !name.StartsWith('$') && !name.StartsWith('_'))
                warnings.Add(new ConfigurationError(value.File, value.Line, value.Path,
                    $"has no meaning here and changes nothing.{(WordDistance.Nearest(name, names) is { } near ? $" Did you mean {near}?" : "")}"));
    }

    private static bool IsStatus(string text, out int status) => int.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out status) && status is >= 100 and <= 599;

    private static string Text(long ms) => ms % 86_400_000 == 0 && ms > 0 ? $"{ms / 86_400_000}d" : ms % 3_600_000 == 0 && ms > 0 ? $"{ms / 3_600_000}h" : ms % 60_000 == 0 && ms > 0 ? $"{ms / 60_000}m" : ms % 1000 == 0 ? $"{ms / 1000}s" : $"{ms}ms";
}
