using System.Globalization;

namespace Tollgate.Gateway.Consumers;

/// <summary>Lengths of time as a person writes them: <c>250ms</c>, <c>60s</c>, <c>5m</c>, <c>1h</c>, <c>1d</c>.</summary>
internal static class WindowText
{
    public const string Expected = "A window from \"100ms\" to \"31d\" is expected here, such as \"250ms\", \"60s\", \"5m\", \"1h\" or \"1d\".";

    private const long LongestMs = 31L * 86_400_000;

    public static bool TryParse(string text, out long windowMs)
    {
        var digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        windowMs = 0;
        if (digits <= 0 || !long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > LongestMs)
            return false;
        long unitMs = text.AsSpan(digits) switch
        {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => 0,
        };
        windowMs = number * unitMs;
        return windowMs is >= 100 and <= LongestMs;
    }
}
