using System.Text.Json.Nodes;
using Tollgate.Gateway.Bodies.Schemas;

namespace Tollgate.Gateway.Bodies;

/// <summary>The operations of an OpenAPI document (3.0 or 3.1), with their schemas compiled.</summary>
internal sealed class OpenApiBook
{
    private static readonly string[] Methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

    private readonly List<Operation> _operations = [];
    private readonly string[] _bases;

    private OpenApiBook(string[] bases) => _bases = bases;

    /// <param name="basePath">Where the document's paths may stand beside its servers; null = nowhere else.</param>
    public static OpenApiBook? Read(JsonNode document, List<string> mistakes, string? basePath = null)
    {
        if (document is not JsonObject root || root["openapi"]?.ToString().StartsWith("3.", StringComparison.Ordinal) != true || root["paths"] is not JsonObject paths)
        {
            mistakes.Add("is not an OpenAPI document of version 3.");
            return null;
        }

        var schemas = new SchemaDocument(root);
        string[] bases = [.. ((root["servers"] as JsonArray)?.OfType<JsonObject>().Select(server => PathOf(FilledIn(server))) ?? []).Append(PathOf(basePath)).Append("").Distinct()];
        var book = new OpenApiBook(bases);
        foreach (var (template, written) in paths)
        {
            if (template.StartsWith("x-", StringComparison.Ordinal)) continue;
            if (Operation.Resolve(root, written) is not JsonObject item) mistakes.Add($"{template}: an object with operations is expected here.");
            else book.Add(root, template, item, schemas, mistakes);
        }

        // What is written out wins over what has placeholders (OpenAPI 3.1 §4.8.8).
        book._operations.Sort((a, b) => a.Placeholders - b.Placeholders);
        return book;
    }

    private void Add(JsonObject root, string template, JsonObject item, SchemaDocument schemas, List<string> mistakes)
    {
        foreach (var method in Methods)
        {
            if (item[method] is not { } written) continue;
            try
            {
                _operations.Add(Operation.Read(root, template, method.ToUpperInvariant(), item, written.AsObject(), schemas, mistakes));
            }
            catch (Exception wrong) when (wrong is InvalidOperationException or InvalidCastException or FormatException or ArgumentException)
            {
                mistakes.Add($"{method.ToUpperInvariant()} {template}: is not written as OpenAPI says: {wrong.Message}");    // a list where an object should be, and the like
            }
        }
    }

    /// <param name="paths">What the call's path may be called: upstream, downstream.</param>
    public Operation? Find(string method, ReadOnlySpan<string> paths, out Dictionary<string, string> values)
    {
        foreach (var path in paths)
            foreach (var start in _bases)
            {
                if (!path.StartsWith(start, StringComparison.OrdinalIgnoreCase)) continue;
                var rest = path[start.Length..];
                foreach (var operation in _operations)
                    if (operation.Method == method && operation.TryMatch(rest.Length == 0 ? "/" : rest, out values))
                        return operation;
            }

        values = [];
        return null;
    }

    // Variables take the values that they have unless a caller chooses (OpenAPI 3.1 §4.8.6).
    private static string? FilledIn(JsonObject server)
    {
        var url = server["url"]?.ToString();
        foreach (var (name, variable) in server["variables"] as JsonObject ?? []) url = url?.Replace($"{{{name}}}", (variable as JsonObject)?["default"]?.ToString(), StringComparison.Ordinal);
        return url;
    }

    private static string PathOf(string? url)
    {
        if (string.IsNullOrEmpty(url)) return "";
        var authority = url.IndexOf("//", StringComparison.Ordinal);
        var path = authority < 0 ? url : url.IndexOf('/', authority + 2) is >= 0 and var slash ? url[slash..] : "";
        if (path.IndexOfAny(['?', '#']) is >= 0 and var end) path = path[..end];
        return path.StartsWith('/') ? path.TrimEnd('/') : "";
    }
}

/// <summary>One operation of an OpenAPI document.</summary>
internal sealed class Operation
{
    private string[] _segments = [];
    private IReadOnlyList<(string MediaType, BodySchema? Schema)> _bodies = [];

    public required string Method { get; init; }
    public int Placeholders { get; private init; }

    /// <summary>Whether a call must have a body.</summary>
    public bool BodyRequired { get; private init; }

    /// <summary>Media types that the body may have; empty = no body is described.</summary>
    public IReadOnlyList<string> BodyTypes { get; private init; } = [];

    /// <summary>What is said of a body of a media type, else of the first JSON body that is described; null = nothing.</summary>
    public BodySchema? BodyOf(string mediaType)
    {
        foreach (var (known, schema) in _bodies)
            if (IsType(mediaType, known) && known != "*/*")
                return schema;
        return _bodies.Count > 0 ? _bodies[0].Schema : null;
    }

    public IReadOnlyList<DescribedParameter> Parameters { get; private init; } = [];

    /// <summary>By status as it is written: <c>200</c>, <c>4XX</c>, <c>default</c>.</summary>
    public IReadOnlyDictionary<string, DescribedAnswer> Answers { get; private init; } = new Dictionary<string, DescribedAnswer>();

    public static Operation Read(JsonObject root, string template, string method, JsonObject item, JsonObject json, SchemaDocument schemas, List<string> mistakes)
    {
        var here = $"{method} {template}";
        var body = Resolve(root, json["requestBody"]) as JsonObject;
        var content = body?["content"] as JsonObject;
        var segments = template.Trim('/').Split('/');
        return new Operation
        {
            Method = method,
            _segments = segments,
            Placeholders = segments.Count(segment => segment.Contains('{')),
            BodyRequired = body?["required"]?.ToString() == "true",
            BodyTypes = [.. content?.Select(type => type.Key) ?? []],
            _bodies = [.. (content ?? []).Where(type => IsJson(type.Key)).Select(type => (type.Key, type.Value?["schema"] is { } schema ? Compile(schema, schemas, here, mistakes) : null))],
            Parameters = DescribedParameter.Read(root, item["parameters"], json["parameters"], schema => Compile(schema, schemas, here, mistakes)),
            Answers = (json["responses"] as JsonObject ?? []).ToDictionary(answer => answer.Key.ToUpperInvariant(), answer => DescribedAnswer.Read(root, Resolve(root, answer.Value), schemas, here, mistakes)),
        };
    }

    public bool TryMatch(string path, out Dictionary<string, string> values)
    {
        values = [];
        var given = path.Trim('/').Split('/');
        if (given.Length != _segments.Length) return false;
        for (var i = 0; i < given.Length; i++)
        {
            if (_segments[i].Contains('{'))
            {
                if (!TryMatch(_segments[i], given[i], values)) return false;
            }
            else if (!_segments[i].Equals(given[i], StringComparison.Ordinal)) return false;
        }

        return true;
    }

    // {id}, or text around it: {name}.json, {from}-{to}. A placeholder takes as little as it can, the last one the rest.
    private static bool TryMatch(string pattern, string given, Dictionary<string, string> values)
    {
        var at = 0;
        for (var i = 0; i < pattern.Length;)
        {
            if (pattern[i] != '{')
            {
                if (at >= given.Length || given[at++] != pattern[i++]) return false;
                continue;
            }

            var close = pattern.IndexOf('}', i);
            if (close < 0) return false;
            var next = pattern.IndexOf('{', close);
            var text = next < 0 ? pattern[(close + 1)..] : pattern[(close + 1)..next];
            var end = next < 0 ? given.Length - text.Length : text.Length == 0 ? -1 : given.IndexOf(text, Math.Min(at + 1, given.Length), StringComparison.Ordinal);
            if (end <= at) return false;
            values[pattern[(i + 1)..close]] = Uri.UnescapeDataString(given[at..end]);
            (at, i) = (end, close + 1);
        }

        return at == given.Length;
    }

    /// <summary>What an answer of a status should look like; null = not described.</summary>
    public DescribedAnswer? AnswerOf(int status) =>
        Answers.GetValueOrDefault(status.ToString()) ?? Answers.GetValueOrDefault($"{status / 100}XX") ?? Answers.GetValueOrDefault("DEFAULT");

    public static bool IsType(string given, string known)
    {
        var semicolon = given.IndexOf(';');
        var type = (semicolon < 0 ? given : given[..semicolon]).Trim();
        if (known == "*/*" || type.Equals(known.Split(';')[0].Trim(), StringComparison.OrdinalIgnoreCase)) return true;
        return known.EndsWith("/*", StringComparison.Ordinal) && type.StartsWith(known[..^1], StringComparison.OrdinalIgnoreCase);
    }

    public static bool IsJson(string mediaType)
    {
        var type = mediaType.AsSpan();
        var semicolon = type.IndexOf(';');
        if (semicolon >= 0) type = type[..semicolon];
        type = type.Trim();
        return type.Equals("application/json", StringComparison.OrdinalIgnoreCase) || type.EndsWith("+json", StringComparison.OrdinalIgnoreCase) || type.SequenceEqual("*/*");
    }

    /// <summary>What a local reference refers to.</summary>
    public static JsonNode? Resolve(JsonObject root, JsonNode? node)
    {
        for (var hops = 0; hops < 16 && node is JsonObject reference && reference["$ref"] is JsonValue to && to.ToString() is ['#', '/', .. var pointer]; hops++)
        {
            JsonNode? at = root;
            foreach (var step in pointer.Split('/')) at = (at as JsonObject)?[Uri.UnescapeDataString(step).Replace("~1", "/").Replace("~0", "~")];
            node = at;
        }

        return node;
    }

    private static BodySchema? Compile(JsonNode schema, SchemaDocument schemas, string here, List<string> mistakes)
    {
        var own = new List<string>();
        var compiled = schemas.Compile(schema, own);
        mistakes.AddRange(own.Select(mistake => $"{here}: {mistake}").Where(mistake => !mistakes.Contains(mistake)));
        return compiled;
    }

    /// <summary>An answer as the document describes it.</summary>
    public sealed class DescribedAnswer
    {
        public BodySchema? Schema { get; private init; }

        /// <summary>Of the first media type that has examples, else of the first; null = an answer without a body.</summary>
        public string? MediaType { get; private init; }

        /// <summary>By name; the first is the one that is shown unless another is asked for.</summary>
        public IReadOnlyList<KeyValuePair<string, JsonNode?>> Examples { get; private init; } = [];

        /// <summary>Examples of its headers.</summary>
        public IReadOnlyList<KeyValuePair<string, string>> Headers { get; private init; } = [];

        public static DescribedAnswer Read(JsonObject root, JsonNode? json, SchemaDocument schemas, string here, List<string> mistakes)
        {
            KeyValuePair<string, string>[] headers = [.. MockExamples.HeadersOf(root, json?["headers"] as JsonObject)];
            if (json?["content"] is not JsonObject { Count: > 0 } content) return new DescribedAnswer { Headers = headers };
            var (mediaType, described) = content.FirstOrDefault(type => IsJson(type.Key)) is { Key: not null } found ? found : content.First();
            return new DescribedAnswer
            {
                MediaType = mediaType == "*/*" ? "application/json" : mediaType,
                Schema = IsJson(mediaType) && described?["schema"] is { } schema ? Compile(schema, schemas, here, mistakes) : null,
                Examples = [.. MockExamples.Of(root, described as JsonObject)],
                Headers = headers,
            };
        }
    }
}
