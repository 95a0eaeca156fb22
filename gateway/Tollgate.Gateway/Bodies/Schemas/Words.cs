using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tollgate.Gateway.Bodies.Schemas;

/// <summary>The words of one schema, read as what they must be.</summary>
internal sealed class Words(JsonObject schema, string at, List<string> mistakes)
{
    public JsonObject Schema => schema;

    public JsonNode? this[string name] => schema[name];

    public bool Has(string name) => schema.ContainsKey(name);

    public string At(string name) => $"{at}/{name}";

    public string At(string name, string member) => $"{at}/{name}/{member.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}";

    public void Mistake(string name, string sentence) => mistakes.Add($"at {At(name)} {sentence}");

    public bool IsFlag(string name) => schema[name] is JsonValue value && value.GetValueKind() is JsonValueKind.True or JsonValueKind.False;

    public bool Flag(string name) => schema[name] is JsonValue value && value.GetValueKind() == JsonValueKind.True;

    public string? Text(string name)
    {
        if (schema[name] is not { } node) return null;
        if (node.GetValueKind() == JsonValueKind.String) return node.GetValue<string>();
        Mistake(name, "a text is expected here.");
        return null;
    }

    public JsonObject? Object(string name)
    {
        if (schema[name] is not { } node) return null;
        if (node is JsonObject json) return json;
        Mistake(name, "an object is expected here.");
        return null;
    }

    public JsonNumber? Number(string name)
    {
        if (schema[name] is not { } node || IsFlag(name)) return null;
        if (node.GetValueKind() == JsonValueKind.Number) return JsonNumber.Of(JsonSerializer.SerializeToElement(node));
        Mistake(name, "a number is expected here.");
        return null;
    }

    public int? Count(string name)
    {
        if (schema[name] is null) return null;
        if (Number(name) is { IsWhole: true, Near: >= 0 } number) return (int)Math.Min(number.Near, int.MaxValue);
        if (schema[name]!.GetValueKind() == JsonValueKind.Number) Mistake(name, "a whole number from 0 is expected here.");
        return null;
    }
}
