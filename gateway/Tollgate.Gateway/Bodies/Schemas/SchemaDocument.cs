using System.Text.Json.Nodes;

namespace Tollgate.Gateway.Bodies.Schemas;

/// <summary>
/// A document that holds schemas: JSON Schema of any draft from 4 to 2020-12, or OpenAPI 3. Each schema is compiled once, whoever refers to it. References
/// stay within the document: nothing is fetched.
/// </summary>
internal sealed class SchemaDocument
{
    // Where schemas stand in a schema. What stands under other words may look like one and is none.
    private static readonly HashSet<string> Alone =
        ["additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties", "allOf", "anyOf", "oneOf", "prefixItems"];

    private static readonly HashSet<string> Named = ["$defs", "definitions", "dependentSchemas", "dependencies", "patternProperties", "properties"];
    private static readonly HashSet<string> NoSchemas = ["enum", "const", "default", "example", "examples"];

    private readonly JsonNode _root;
    private readonly SchemaResource _own;
    private readonly Dictionary<JsonNode, SchemaNode> _compiled = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<JsonNode, SchemaResource> _owners = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, SchemaResource> _resources = new(StringComparer.Ordinal);
    private readonly bool _isDraft4;

    public SchemaDocument(JsonNode root)
    {
        _root = root;
        var draft = (root as JsonObject)?["$schema"]?.ToString() ?? "";
        _isDraft4 = draft.Contains("draft-04") || draft.Contains("draft-03");
        IsOldDraft = draft.Contains("draft-0") || draft.Contains("draft-3");
        IsOpenApi = root is JsonObject json && json["openapi"] is not null;
        _own = SchemaResource.Of(root);
        _resources.Add(_own.Address, _own);
        if (IsOpenApi) IndexAll(root);
        else Index(root, _own);
    }

    /// <summary>OpenAPI has words of its own: <c>nullable</c>, <c>readOnly</c>.</summary>
    public bool IsOpenApi { get; }

    /// <summary>Before 2019-09, what stood beside a reference meant nothing.</summary>
    public bool IsOldDraft { get; }

    /// <summary>Whether a reference depends on how one came to it.</summary>
    public bool IsDynamic { get; private set; }

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
        if (isNew) _compiled.Add(schema, node = new SchemaNode { Resource = IsDynamic ? OwnerOf(schema) : null });
        return node!;
    }

    public SchemaResource OwnerOf(JsonNode schema) => _owners.GetValueOrDefault(schema, _own);

    /// <summary>Every resource of the document that has a <c>$dynamicAnchor</c> of this name.</summary>
    public IEnumerable<(SchemaResource Resource, JsonNode Schema)> DynamicAnchors(string name) =>
        _resources.Values.Where(resource => resource.DynamicAnchors.ContainsKey(name)).Select(resource => (resource, resource.DynamicAnchors[name]));

    /// <summary>Every resource of the document with <c>$recursiveAnchor</c>.</summary>
    public IEnumerable<(SchemaResource Resource, JsonNode Schema)> RecursiveAnchors() => _resources.Values.Where(resource => resource.IsRecursive).Select(resource => (resource, resource.Root));

    /// <summary>What a reference refers to; null = nothing in this document.</summary>
    /// <param name="from">The schema in which it is written.</param>
    /// <param name="entry">The schema that began it all: pointers may be meant from there.</param>
    public JsonNode? Find(string reference, JsonNode from, JsonNode entry)
    {
        var (address, fragment) = OwnerOf(from).Resolve(reference);
        if (!_resources.TryGetValue(address, out var resource)) return null;
        if (fragment is null or "") return resource.Root;
        if (fragment[0] != '/') return resource.Anchors.GetValueOrDefault(fragment);
        if ((Follow(resource.Root, fragment) ?? Follow(_root, fragment) ?? Follow(entry, fragment)) is not { } found) return null;
        if (!_owners.ContainsKey(found) && found is JsonObject) Index(found, resource);    // where no schema would be looked for
        return found;
    }

    private static JsonNode? Follow(JsonNode? at, string pointer)
    {
        foreach (var step in pointer[1..].Split('/'))
        {
            var name = step.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            at = at switch
            {
                JsonObject json => json[name],
                JsonArray list when int.TryParse(name, out var place) && place >= 0 && place < list.Count => list[place],
                _ => null,
            };
        }

        return at;
    }

    // An OpenAPI document has schemas in many places; all of them belong to the document, save those with an id.
    private void IndexAll(JsonNode root)
    {
        var open = new Stack<JsonNode?>([root]);
        while (open.TryPop(out var node))
        {
            if (node is JsonArray list)
                foreach (var item in list) open.Push(item);
            if (node is not JsonObject json) continue;
            if (Text(json, "$id") is not null || Text(json, "$anchor") is not null || Text(json, "$dynamicAnchor") is not null)
            {
                Index(json, _own);
                continue;
            }

            IsDynamic |= json.ContainsKey("$dynamicRef");
            foreach (var (name, value) in json)
                if (!NoSchemas.Contains(name)) open.Push(value);
        }
    }

    private void Index(JsonNode? node, SchemaResource resource)
    {
        if (node is not JsonObject json) return;
        var isReference = IsOldDraft && json.ContainsKey("$ref");
        if (!isReference && (Text(json, "$id") ?? (_isDraft4 ? Text(json, "id") : null)) is { } id)
        {
            var (address, name) = resource.Resolve(id);
            if (address != resource.Address)
            {
                resource = new SchemaResource(address, json);
                _resources.TryAdd(address, resource);
            }

            if (!string.IsNullOrEmpty(name)) resource.Anchors.TryAdd(name, json);    // before 2019-09
        }

        if (Text(json, "$anchor") is { } anchor) resource.Anchors.TryAdd(anchor, json);
        if (Text(json, "$dynamicAnchor") is { } dynamic)
        {
            resource.Anchors.TryAdd(dynamic, json);
            resource.DynamicAnchors.TryAdd(dynamic, json);
        }

        IsDynamic |= json.ContainsKey("$dynamicRef") || json.ContainsKey("$recursiveRef");
        if (!_owners.TryAdd(json, resource)) return;
        foreach (var (name, value) in json)
        {
            if (Alone.Contains(name))
            {
                Index(value, resource);
                foreach (var item in value as JsonArray ?? []) Index(item, resource);
            }
            else if (Named.Contains(name))
                foreach (var (_, member) in value as JsonObject ?? []) Index(member, resource);
        }
    }

    private static string? Text(JsonObject json, string name) => json[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
