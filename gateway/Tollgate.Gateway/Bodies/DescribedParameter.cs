using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Primitives;

namespace Tollgate.Gateway.Bodies;

/// <summary>A parameter of an operation: where it stands, how it is written there, and what its schema says of it.</summary>
internal sealed class DescribedParameter
{
    private readonly ParameterShape _shape;
    private readonly string _style;
    private readonly bool _explodes;
    private readonly bool _isJson;

    private DescribedParameter(JsonObject root, JsonObject json, Func<JsonNode, BodySchema?> compile)
    {
        In = json["in"]!.ToString();
        Name = json["name"]?.ToString() ?? "";
        Required = json["required"]?.ToString() == "true" || In == "path";
        _style = json["style"]?.ToString() ?? (In == "query" ? "form" : "simple");
        _explodes = json["explode"]?.ToString() is { } explode ? explode == "true" : _style == "form";
        var content = (json["content"] as JsonObject)?.FirstOrDefault();
        _isJson = content is { Key: { } type } && Operation.IsJson(type);
        var schema = json["schema"] ?? (_isJson ? content!.Value.Value?["schema"] : null);
        Schema = schema is null ? null : compile(schema);
        _shape = ParameterShape.Of(root, schema);
    }

    /// <summary><c>query</c>, <c>path</c> or <c>header</c>.</summary>
    public string In { get; }

    public string Name { get; }
    public bool Required { get; }
    public BodySchema? Schema { get; }

    /// <summary>Those of the path's item that the operation has not its own of, and the operation's (OpenAPI 3.1 §4.8.10.1).</summary>
    public static IReadOnlyList<DescribedParameter> Read(JsonObject root, JsonNode? ofItem, JsonNode? ofOperation, Func<JsonNode, BodySchema?> compile) =>
        [.. ListOf(root, ofOperation).Concat(ListOf(root, ofItem)).DistinctBy(json => (json["in"]!.ToString(), json["name"]?.ToString())).Select(json => new DescribedParameter(root, json, compile))];

    /// <summary>The value as its schema takes it; null = it was not given.</summary>
    public JsonNode? Of(IReadOnlyDictionary<string, StringValues> query, IReadOnlyDictionary<string, string> path, IHeaderDictionary headers) => In switch
    {
        "query" => OfQuery(query),
        "path" => path.TryGetValue(Name, out var value) ? OfText(value) : null,
        _ => headers.TryGetValue(Name, out var lines) ? OfText(lines.ToString()) : null,
    };

    private JsonNode? OfQuery(IReadOnlyDictionary<string, StringValues> query)
    {
        if (_shape.IsObject && !_isJson)
        {
            if (_style == "deepObject") return Gather(query.Where(one => one.Key.StartsWith(Name + "[", StringComparison.Ordinal) && one.Key.EndsWith(']')).Select(one => (one.Key[(Name.Length + 1)..^1], one.Value)));
            if (_explodes) return Gather(_shape.Members.Keys.Where(query.ContainsKey).Select(name => (name, query[name])));
        }

        if (!query.TryGetValue(Name, out var given)) return null;
        if (!_shape.IsArray || _isJson) return OfText(given.Count > 0 ? given[0] ?? "" : "");
        var separator = _style switch { "pipeDelimited" => '|', "spaceDelimited" => ' ', _ => ',' };
        return new JsonArray([.. given.SelectMany(value => _explodes ? [value ?? ""] : (value ?? "").Split(separator)).Select(value => _shape.Items.Typed(value))]);
    }

    private JsonNode OfText(string text)
    {
        if (_isJson)
        {
            try
            {
                return JsonNode.Parse(text) ?? text;
            }
            catch (JsonException)
            {
                return text;
            }
        }

        if (_shape.IsArray) return new JsonArray([.. text.Split(',').Select(value => _shape.Items.Typed(value.Trim()))]);
        if (!_shape.IsObject) return _shape.Typed(text);
        var pieces = text.Split(',');
        var pairs = _explodes ? pieces.Select(piece => piece.Split('=', 2)).Where(pair => pair.Length == 2).Select(pair => (pair[0], (StringValues)pair[1]))
            : pieces.Chunk(2).Where(pair => pair.Length == 2).Select(pair => (pair[0], (StringValues)pair[1]));
        return Gather(pairs) ?? new JsonObject();
    }

    private JsonObject? Gather(IEnumerable<(string Name, StringValues Value)> members)
    {
        var whole = new JsonObject();
        foreach (var (name, value) in members)
        {
            var shape = _shape.Members.GetValueOrDefault(name) ?? ParameterShape.Any;
            whole[name] = shape.IsArray ? new JsonArray([.. value.Select(one => shape.Items.Typed(one ?? ""))]) : shape.Typed(value.Count > 0 ? value[0] ?? "" : "");
        }

        return whole.Count == 0 ? null : whole;
    }

    private static IEnumerable<JsonObject> ListOf(JsonObject root, JsonNode? list) =>
        (list as JsonArray ?? []).Select(parameter => Operation.Resolve(root, parameter)).OfType<JsonObject>().Where(parameter => parameter["in"]?.ToString() is "query" or "path" or "header");
}

/// <summary>What kinds of value a schema of a parameter takes: parameters are text, and their schema says what they mean.</summary>
internal sealed class ParameterShape
{
    private const int Deepest = 6;

    private readonly HashSet<string> _types = [];

    public static ParameterShape Any { get; } = new();

    public bool IsArray => _types.Contains("array");
    public bool IsObject => _types.Contains("object");
    public ParameterShape Items { get; private set; } = null!;
    public Dictionary<string, ParameterShape> Members { get; } = new(StringComparer.Ordinal);

    public static ParameterShape Of(JsonObject root, JsonNode? schema)
    {
        var shape = new ParameterShape();
        shape.Take(root, schema, 0);
        return shape;
    }

    /// <summary>One value. What is no number or truth value stays text, and the schema says so.</summary>
    public JsonNode Typed(string text)
    {
        if (!_types.Contains("string"))
        {
            if (_types.Contains("integer") && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)) return whole;
            if ((_types.Contains("number") || _types.Contains("integer")) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)) return number;
            if (_types.Contains("boolean") && text is "true" or "false") return text == "true";
        }

        return text;
    }

    private void Take(JsonObject root, JsonNode? node, int depth)
    {
        Items ??= Any;
        if (depth > Deepest || Operation.Resolve(root, node) is not JsonObject schema) return;
        if (schema["type"] is JsonArray several) _types.UnionWith(several.Select(type => type?.ToString() ?? ""));
        else if (schema["type"] is { } type) _types.Add(type.ToString());
        else foreach (var value in (schema["enum"] as JsonArray ?? []).Append(schema["const"]))
            if (value?.GetValueKind() is { } kind)
                _types.Add(kind switch { JsonValueKind.Number => "number", JsonValueKind.True or JsonValueKind.False => "boolean", _ => "string" });
        if (schema["items"] is { } items)
        {
            Items = new ParameterShape();
            Items.Take(root, items, depth + 1);
        }

        foreach (var (name, member) in schema["properties"] as JsonObject ?? [])
        {
            var shape = Members[name] = new ParameterShape();
            shape.Take(root, member, depth + 1);
        }

        foreach (var word in (string[])["allOf", "anyOf", "oneOf"])
            foreach (var part in schema[word] as JsonArray ?? [])
                Take(root, part, depth + 1);
    }
}
