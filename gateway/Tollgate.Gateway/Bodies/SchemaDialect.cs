using System.Text.Json.Nodes;

namespace Tollgate.Gateway.Bodies;

/// <summary>
/// Brings a schema, of whichever draft or of OpenAPI 3.0, into the words that the validator enforces. A word that it does not enforce is refused: a rule
/// that is written and not kept would be worse than none.
/// </summary>
internal static class SchemaDialect
{
    private static readonly HashSet<string> NotEnforced = new(StringComparer.Ordinal)
    {
        "if", "then", "else", "dependentRequired", "dependentSchemas", "dependencies", "contains", "minContains", "maxContains", "prefixItems", "propertyNames",
        "unevaluatedProperties", "unevaluatedItems", "$dynamicRef", "$recursiveRef", "contentEncoding", "contentSchema",
    };

    private static readonly string[] OfSchemas = ["items", "additionalProperties", "additionalItems", "not"];
    private static readonly string[] ListsOfSchemas = ["allOf", "anyOf", "oneOf"];
    private static readonly string[] MapsOfSchemas = ["properties", "patternProperties", "definitions"];

    /// <param name="components">OpenAPI's <c>components/schemas</c>; null = none.</param>
    /// <param name="mistakes">What cannot be enforced, each with its pointer.</param>
    public static JsonObject Bring(JsonNode schema, JsonObject? components, List<string> mistakes)
    {
        var whole = schema.DeepClone() as JsonObject ?? new JsonObject { ["not"] = new JsonObject() };
        if (schema is JsonValue always && always.TryGetValue<bool>(out var everything) && everything) whole = new JsonObject();
        Bring(whole, "", mistakes);
        if (components is not null)
        {
            var definitions = whole["definitions"] as JsonObject ?? new JsonObject();
            foreach (var (name, component) in components)
            {
                if (component is not JsonObject || definitions.ContainsKey(name)) continue;
                var copy = (JsonObject)component.DeepClone();
                Bring(copy, $"/components/schemas/{name}", mistakes);
                definitions[name] = copy;
            }

            whole["definitions"] = definitions;
        }

        return whole;
    }

    private static void Bring(JsonObject schema, string at, List<string> mistakes)
    {
        foreach (var (name, _) in schema)
            if (NotEnforced.Contains(name))
                mistakes.Add($"the rule \"{name}\" at {(at.Length == 0 ? "/" : at)} is not enforced by this gateway.");

        if (schema["$ref"] is JsonValue reference)
        {
            var to = reference.ToString();
            if (!to.StartsWith('#')) mistakes.Add($"\"{to}\" at {at}/$ref is another document: put what it holds into this one.");
            else schema["$ref"] = to.Replace("#/components/schemas/", "#/definitions/", StringComparison.Ordinal).Replace("#/$defs/", "#/definitions/", StringComparison.Ordinal);
        }

        if (schema.TryGetPropertyValue("$defs", out var defs))
        {
            schema.Remove("$defs");
            schema["definitions"] = defs;
        }

        if (schema.TryGetPropertyValue("const", out var constant))
        {
            schema.Remove("const");
            schema["enum"] = new JsonArray(constant?.DeepClone());
        }

        if (schema["nullable"] is JsonValue nullable && nullable.TryGetValue<bool>(out var mayBeNull) && mayBeNull)
        {
            if (schema["type"] is JsonValue type) schema["type"] = new JsonArray(type.ToString(), "null");
            if (schema["enum"] is JsonArray values && values.All(value => value is not null)) values.Add(null);
        }

        foreach (var name in OfSchemas)
            if (schema[name] is JsonObject inner)
                Bring(inner, $"{at}/{name}", mistakes);
        foreach (var name in ListsOfSchemas)
            if (schema[name] is JsonArray list)
                for (var i = 0; i < list.Count; i++)
                    if (list[i] is JsonObject inner)
                        Bring(inner, $"{at}/{name}/{i}", mistakes);
        foreach (var name in MapsOfSchemas)
            if (schema[name] is JsonObject map)
                foreach (var (key, value) in map)
                    if (value is JsonObject inner)
                        Bring(inner, $"{at}/{name}/{key}", mistakes);
    }
}
