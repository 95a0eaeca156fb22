using System.Text;
using System.Text.Json.Nodes;

namespace Tollgate.Gateway.Bodies;

/// <summary>What a described answer could look like: its examples, else one that is made from its schema.</summary>
internal static class MockExamples
{
    private const int Deepest = 8;

    public static IEnumerable<KeyValuePair<string, JsonNode?>> Of(JsonObject root, JsonObject? mediaType)
    {
        if (mediaType is null) yield break;
        if (mediaType.TryGetPropertyValue("example", out var single)) yield return new("example", single?.DeepClone());
        foreach (var (name, example) in mediaType["examples"] as JsonObject ?? [])
            if (Operation.Resolve(root, example) is JsonObject written && written.TryGetPropertyValue("value", out var value))
                yield return new(name, value?.DeepClone());
        if (mediaType["schema"] is { } schema) yield return new("schema", Make(root, schema, 0));
    }

    /// <summary>The headers of an answer that have an example, or a schema with one.</summary>
    public static IEnumerable<KeyValuePair<string, string>> HeadersOf(JsonObject root, JsonObject? headers)
    {
        foreach (var (name, header) in headers ?? [])
        {
            if (name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase) || Operation.Resolve(root, header) is not JsonObject described) continue;    // OpenAPI 3.1 §4.8.17
            var schema = Operation.Resolve(root, described["schema"]);
            var example = described["example"] ?? Operation.Resolve(root, (described["examples"] as JsonObject)?.FirstOrDefault().Value)?["value"] ?? schema?["example"] ?? (schema?["examples"] as JsonArray)?.FirstOrDefault() ?? schema?["default"];
            if (example is JsonValue value && Ascii.IsValid(value.ToString()) && !value.ToString().AsSpan().ContainsAny('\r', '\n')) yield return new(name, value.ToString());
        }
    }

    private static JsonNode? Make(JsonObject root, JsonNode? node, int depth)
    {
        if (Operation.Resolve(root, node) is not JsonObject schema || depth > Deepest) return null;
        if (schema.TryGetPropertyValue("example", out var example)) return example?.DeepClone();
        if (schema["examples"] is JsonArray { Count: > 0 } examples) return examples[0]?.DeepClone();
        if (schema.TryGetPropertyValue("default", out var usual)) return usual?.DeepClone();
        if (schema.TryGetPropertyValue("const", out var constant)) return constant?.DeepClone();
        if (schema["enum"] is JsonArray { Count: > 0 } values) return values[0]?.DeepClone();
        if ((schema["oneOf"] ?? schema["anyOf"]) is JsonArray { Count: > 0 } alternatives) return Make(root, alternatives[0], depth + 1);
        if (schema["allOf"] is JsonArray parts) return Merge(parts.Select(part => Make(root, part, depth + 1)));
        return TypeOf(schema) switch
        {
            "object" => new JsonObject(((schema["properties"] as JsonObject) ?? []).Where(property => !IsWriteOnly(root, property.Value))
                .Select(property => KeyValuePair.Create(property.Key, Make(root, property.Value, depth + 1)))),
            "array" when schema["prefixItems"] is JsonArray first => new JsonArray([.. first.Select(item => Make(root, item, depth + 1))]),
            "array" => new JsonArray(Make(root, schema["items"], depth + 1)),
            "integer" => (long)Math.Ceiling(schema["minimum"]?.GetValue<double>() ?? 0),
            "number" => schema["minimum"]?.GetValue<double>() ?? 0,
            "boolean" => true,
            "null" => null,
            _ => schema["format"]?.ToString() switch
            {
                "date-time" => "2026-01-01T00:00:00Z",
                "date" => "2026-01-01",
                "uuid" => "00000000-0000-0000-0000-000000000000",
                "email" => "somebody@example.com",
                "uri" => "https://example.com/",
                "ipv4" => "192.0.2.1",
                _ => "text",
            },
        };
    }

    // What only callers write is in no answer.
    private static bool IsWriteOnly(JsonObject root, JsonNode? schema) => Operation.Resolve(root, schema)?["writeOnly"]?.ToString() == "true";

    private static string TypeOf(JsonObject schema) => schema["type"] switch
    {
        JsonArray several => several.FirstOrDefault(type => type?.ToString() != "null")?.ToString() ?? "null",
        { } one => one.ToString(),
        null => schema["properties"] is not null ? "object" : schema["items"] is not null ? "array" : "string",
    };

    private static JsonObject Merge(IEnumerable<JsonNode?> parts)
    {
        var whole = new JsonObject();
        foreach (var part in parts.OfType<JsonObject>())
            foreach (var (name, value) in part)
                whole[name] = value?.DeepClone();
        return whole;
    }
}
