using System.Text.Json.Nodes;

namespace Tollgate.Gateway.Bodies.Schemas;

/// <summary>
/// A document that holds schemas: JSON Schema of any draft from 4 to 2020-12, or OpenAPI 3. Each schema is compiled once, whoever refers to it. References
/// stay within the document: nothing is fetched.
/// </summary>
internal sealed class SchemaDocument(JsonNode root)
{
    private readonly Dictionary<JsonNode, SchemaNode> _compiled = new(ReferenceEqualityComparer.Instance);
    private Dictionary<string, JsonNode>? _names;

    /// <summary>OpenAPI has words of its own: <c>nullable</c>, <c>readOnly</c>.</summary>
    public bool IsOpenApi { get; } = root is JsonObject json && json["openapi"] is not null;

    /// <summary>Before 2019-09, what stood beside a reference meant nothing.</summary>
    public bool IsOldDraft { get; } = root is JsonObject json && json["$schema"]?.ToString() is { } draft && (draft.Contains("draft-0") || draft.Contains("draft-3"));

    /// <returns>Null with the reasons among the mistakes.</returns>
    public BodySchema? Compile(JsonNode schema, List<string> mistakes)
    {
        var own = new List<string>();
        var node = new SchemaCompiler(this, schema, own).NodeOf(schema, "");
        mistakes.AddRange(own.Distinct());    // a word may be looked at for several rules
        return own.Count > 0 ? null : new BodySchema(node);
    }

    /// <summary>The node of a schema that was compiled already, or a new one, which is yet to be filled.</summary>
    public SchemaNode NodeOf(JsonNode schema, out bool isNew)
    {
        isNew = !_compiled.TryGetValue(schema, out var node);
        if (isNew) _compiled.Add(schema, node = new SchemaNode());
        return node!;
    }

    /// <summary>What a reference refers to; null = nothing in this document.</summary>
    /// <param name="entry">The schema that began it all: pointers may be meant from there.</param>
    public JsonNode? Find(string reference, JsonNode entry)
    {
        if (reference is "#" or "") return root;
        if (reference.StartsWith("#/", StringComparison.Ordinal)) return Follow(root, reference[2..]) ?? Follow(entry, reference[2..]);
        _names ??= NamesIn(root);
        if (_names.TryGetValue(reference.TrimEnd('#'), out var named)) return named;
        return reference.IndexOf('#') is > 0 and var hash && _names.TryGetValue(reference[..hash], out var resource) && reference.AsSpan(hash).StartsWith("#/")
            ? Follow(resource, reference[(hash + 2)..])
            : null;
    }

    private static JsonNode? Follow(JsonNode? at, string pointer)
    {
        foreach (var step in pointer.Split('/'))
        {
            var name = Uri.UnescapeDataString(step).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            at = at switch
            {
                JsonObject json => json[name],
                JsonArray list when int.TryParse(name, out var place) && place >= 0 && place < list.Count => list[place],
                _ => null,
            };
        }

        return at;
    }

    // Anchors, and the ids by which schemas of one document call each other.
    private static Dictionary<string, JsonNode> NamesIn(JsonNode root)
    {
        var names = new Dictionary<string, JsonNode>(StringComparer.Ordinal);
        var open = new Stack<JsonNode?>([root]);
        while (open.TryPop(out var node))
        {
            if (node is JsonArray list)
                foreach (var item in list) open.Push(item);
            if (node is not JsonObject json) continue;
            foreach (var (name, value) in json)
            {
                if (value is JsonValue text && text.TryGetValue<string>(out var said))
                    if (name is "$anchor" or "$dynamicAnchor") names.TryAdd($"#{said}", json);
                    else if (name is "$id" or "id") names.TryAdd(said.TrimEnd('#'), json);
                open.Push(value);
            }
        }

        return names;
    }
}
