using System.Text.Json;

namespace Tollgate.Gateway.Aggregates;

/// <summary>The values that a member's answer has for the calls of another.</summary>
internal static class AggregateValues
{
    /// <summary>Each value once, in the answer's order. None when the answer is no JSON, or has nothing there that can stand in an address.</summary>
    public static IReadOnlyList<string> Of(JsonPath path, byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return [.. path.Select(document.RootElement).Select(TextOf).OfType<string>().Distinct(StringComparer.Ordinal)];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    // Dots alone would climb in the path that they are put into.
    private static string? TextOf(JsonElement value)
    {
        var text = value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
            _ => null,
        };
        return string.IsNullOrEmpty(text) || text.AsSpan().IndexOfAnyExcept('.') < 0 ? null : text;
    }
}
