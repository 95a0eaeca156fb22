using System.Text.Json;

namespace Tollgate.Gateway.Bodies.Schemas;

/// <summary><c>type</c>.</summary>
internal sealed class TypeRule(JsonTypes types) : SchemaRule
{
    private readonly string _sentence = $"{Words(types)} is expected here.";

    public override bool Holds(JsonElement value, SchemaCheck check)
    {
        var type = value.ValueKind switch
        {
            JsonValueKind.Null => JsonTypes.Null,
            JsonValueKind.True or JsonValueKind.False => JsonTypes.Boolean,
            JsonValueKind.Object => JsonTypes.Object,
            JsonValueKind.Array => JsonTypes.Array,
            JsonValueKind.String => JsonTypes.String,
            _ when (types & (JsonTypes.Number | JsonTypes.Integer)) == JsonTypes.Integer && JsonNumber.Of(value).IsWhole => JsonTypes.Integer,
            _ => JsonTypes.Number,
        };
        return (types & type) != 0 || check.Fail(_sentence, isOfShape: true);
    }

    private static string Words(JsonTypes types) => string.Join(" or ", Enum.GetValues<JsonTypes>().Where(type => types.HasFlag(type)).Select(type => type switch
    {
        JsonTypes.Null => "null",
        JsonTypes.Boolean => "true or false",
        JsonTypes.Object => "an object",
        JsonTypes.Array => "a list",
        JsonTypes.String => "a text",
        JsonTypes.Integer => "a whole number",
        _ => "a number",
    }));
}

/// <summary>The kinds of values, as <c>type</c> names them.</summary>
[Flags]
internal enum JsonTypes : byte
{
    String = 1,
    Number = 2,
    Integer = 4,
    Boolean = 8,
    Object = 16,
    Array = 32,
    Null = 64,
}

/// <summary><c>enum</c> and <c>const</c>.</summary>
internal sealed class ChoiceRule(IEnumerable<JsonElement> values) : SchemaRule
{
    private readonly HashSet<string> _values = values.Select(CanonicalValue.Of).ToHashSet(StringComparer.Ordinal);

    public override bool Holds(JsonElement value, SchemaCheck check) =>
        _values.Contains(CanonicalValue.Of(value)) || check.Fail("the value is not one of those that are allowed here.", isOfShape: true);
}

/// <summary><c>minimum</c>, <c>maximum</c>, <c>exclusiveMinimum</c>, <c>exclusiveMaximum</c>, <c>multipleOf</c>, and the formats of numbers.</summary>
internal sealed class NumberRule : SchemaRule
{
    public JsonNumber? Least { get; init; }
    public JsonNumber? Most { get; init; }
    public JsonNumber? Above { get; init; }
    public JsonNumber? Below { get; init; }
    public JsonNumber? MultipleOf { get; init; }

    public override bool Holds(JsonElement value, SchemaCheck check)
    {
        if (value.ValueKind != JsonValueKind.Number) return true;
        var number = JsonNumber.Of(value);
        var holds = true;
        if (Least is { } least && number.CompareTo(least) < 0 || Above is { } above && number.CompareTo(above) <= 0) holds = check.Fail("the number is too small.");
        if (Most is { } most && number.CompareTo(most) > 0 || Below is { } below && number.CompareTo(below) >= 0) holds = check.Fail("the number is too large.");
        if (MultipleOf is { } step && !number.IsMultipleOf(step)) holds = check.Fail("the number is not a multiple of what is asked for.");
        return holds;
    }
}

/// <summary><c>minLength</c>, <c>maxLength</c>, <c>pattern</c>, and the formats of texts.</summary>
internal sealed class TextRule : SchemaRule
{
    public int Shortest { get; init; }
    public int Longest { get; init; } = int.MaxValue;
    public SchemaPattern? Pattern { get; init; }
    public (string Words, Func<string, bool> Is)? Format { get; init; }

    public override bool Holds(JsonElement value, SchemaCheck check)
    {
        if (value.ValueKind != JsonValueKind.String) return true;
        var text = value.GetString()!;
        var length = text.Length;
        foreach (var c in text)
            if (char.IsLowSurrogate(c)) length--;    // characters are counted, not their halves
        var holds = true;
        if (length < Shortest) holds = check.Fail("the text is too short.");
        if (length > Longest) holds = check.Fail("the text is too long.");
        if (Pattern is not null && Pattern.IsIn(text) is not true and var found)
            holds = check.Fail(found is null ? "the text takes too long to compare with its pattern." : "the text does not have the form that is asked for here.");
        if (Format is { } format && !format.Is(text)) holds = check.Fail($"{format.Words} is expected here.");
        return holds;
    }
}
