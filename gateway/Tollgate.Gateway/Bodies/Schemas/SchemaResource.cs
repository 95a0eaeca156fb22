using System.Text.Json.Nodes;

namespace Tollgate.Gateway.Bodies.Schemas;

/// <summary>A schema with an address of its own (<c>$id</c>), or the document: what references within it begin with.</summary>
/// <param name="address">Absolute, without fragment.</param>
/// <param name="root">What <c>#</c> means here.</param>
internal sealed class SchemaResource(string address, JsonNode root)
{
    private const string Nameless = "document:///";

    public string Address => address;
    public JsonNode Root => root;

    /// <summary>By name, <c>$dynamicAnchor</c>s too.</summary>
    public Dictionary<string, JsonNode> Anchors { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, JsonNode> DynamicAnchors { get; } = new(StringComparer.Ordinal);

    /// <summary><c>$recursiveAnchor</c>, what <c>$dynamicAnchor</c> was called in 2019-09.</summary>
    public bool IsRecursive { get; } = root is JsonObject json && json["$recursiveAnchor"] is JsonValue said && said.TryGetValue<bool>(out var flag) && flag;

    public static SchemaResource Of(JsonNode document) => new(Nameless, document);

    /// <summary>The absolute address of what is named from here, and the fragment; null = no fragment is written.</summary>
    public (string Address, string? Fragment) Resolve(string reference)
    {
        var hash = reference.IndexOf('#');
        var (path, fragment) = hash < 0 ? (reference, null) : (reference[..hash], Uri.UnescapeDataString(reference[(hash + 1)..]));
        if (path.Length == 0) return (address, fragment);
        if (Uri.TryCreate(path, UriKind.Absolute, out var absolute) && !path.StartsWith('/')) return (absolute.AbsoluteUri, fragment);
        return (Uri.TryCreate(address, UriKind.Absolute, out var here) && Uri.TryCreate(here, path, out var there) ? there.AbsoluteUri : path, fragment);
    }
}
