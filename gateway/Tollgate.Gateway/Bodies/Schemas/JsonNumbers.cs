using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Tollgate.Gateway.Bodies.Schemas;

/// <summary>A JSON number: exact where it fits a decimal, else as close as a double comes.</summary>
internal readonly record struct JsonNumber(decimal? Exact, double Near)
{
    public bool IsWhole => Exact is { } exact ? decimal.Truncate(exact) == exact : Math.Truncate(Near) == Near;

    public static JsonNumber Of(JsonElement value) => value.TryGetDecimal(out var exact) ? new(exact, (double)exact) : new(null, value.GetDouble());

    public int CompareTo(JsonNumber other) => Exact is { } mine && other.Exact is { } its ? mine.CompareTo(its) : Near.CompareTo(other.Near);

    public bool IsMultipleOf(JsonNumber other)
    {
        if (Exact is { } mine && other.Exact is { } its) return mine % its == 0;
        var times = Near / other.Near;
        return double.IsFinite(times) && Math.Abs(times - Math.Round(times)) <= 1e-9 * Math.Max(1, Math.Abs(times));
    }
}

/// <summary>One text for all spellings of a value: <c>1</c> and <c>1.0</c>, members in any order.</summary>
internal static class CanonicalValue
{
    public static string Of(JsonElement value)
    {
        var text = new StringBuilder();
        Write(value, text);
        return text.ToString();
    }

    private static void Write(JsonElement value, StringBuilder text)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Number:
                var number = JsonNumber.Of(value);
                text.Append(number.Exact is { } exact ? (exact / 1.0000000000000000000000000000m).ToString(CultureInfo.InvariantCulture) : number.Near.ToString("R", CultureInfo.InvariantCulture));
                break;
            case JsonValueKind.String:
                text.Append(JsonSerializer.Serialize(value.GetString()));
                break;
            case JsonValueKind.Array:
                text.Append('[');
                foreach (var item in value.EnumerateArray())
                {
                    Write(item, text);
                    text.Append(',');
                }

                text.Append(']');
                break;
            case JsonValueKind.Object:
                text.Append('{');
                foreach (var member in value.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal))
                {
                    text.Append(JsonSerializer.Serialize(member.Name)).Append(':');
                    Write(member.Value, text);
                    text.Append(',');
                }

                text.Append('}');
                break;
            default:
                text.Append(value.ValueKind);
                break;
        }
    }
}
