using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Microsoft.OpenApi.Reader;
using Tollgate.Billing.Catalogue;
using YamlDotNet.Core;

namespace Tollgate.Portal.Wording;

/// <summary>What a product's OpenAPI document says, as far as its page shows it.</summary>
internal sealed record ApiReference(string Title, string Version, string Description, IReadOnlyList<ApiOperation> Operations)
{
    private const int MostOperations = 500;

    /// <summary>Reads a document, JSON or YAML. Null and a sentence when it cannot be read; null and null when it is empty.</summary>
    public static (ApiReference? Reference, string? Error) Read(string document)
    {
        if (string.IsNullOrWhiteSpace(document)) return (null, null);
        try
        {
            var json = OpenApiText.ToJson(document);
            using (var root = JsonDocument.Parse(json))    // says where it is wrong, which the reader does not
            {
                if (root.RootElement.ValueKind != JsonValueKind.Object || !root.RootElement.TryGetProperty("openapi", out _))
                    return (null, "The OpenAPI document cannot be read: it has no openapi member at its root.");
            }

            var result = OpenApiDocument.Parse(json, "json");
            if (result.Document is not { } read || read.Paths is null)
                return (null, $"The OpenAPI document cannot be read: {FirstError(result.Diagnostic)}");
            if (read.Paths.Count == 0 && result.Diagnostic?.Errors.Count > 0)
                return (null, $"The OpenAPI document cannot be read: {FirstError(result.Diagnostic)}");
            return (Of(read), null);
        }
        catch (YamlException wrong)
        {
            return (null, $"The OpenAPI document is neither JSON nor YAML that can be read: line {wrong.Start.Line}, {wrong.Message}");
        }
        catch (JsonException wrong)
        {
            return (null, $"The OpenAPI document is not JSON: line {wrong.LineNumber + 1} cannot be read.");
        }
        catch (Exception wrong) when (wrong is not OutOfMemoryException)
        {
            // The reader fails in many ways on shapes that it does not expect, and whoever writes a document may try them all.
            return (null, "The OpenAPI document cannot be read: it does not have the shape of OpenAPI 3.");
        }
    }

    private static ApiReference Of(OpenApiDocument document)
    {
        var operations = new List<ApiOperation>();
        foreach (var (path, item) in document.Paths)
        {
            foreach (var (method, operation) in item.Operations ?? [])
            {
                if (operations.Count == MostOperations) break;
                operations.Add(ApiOperation.Of(method.Method, path, item, operation));
            }
        }

        return new ApiReference(document.Info?.Title ?? "", document.Info?.Version ?? "", document.Info?.Description ?? "", operations);
    }

    private static string FirstError(OpenApiDiagnostic? diagnostic) =>
        diagnostic?.Errors is [var first, ..] ? $"{first.Message} {(first.Pointer is { Length: > 0 } at ? $"(at {at})" : "")}".TrimEnd() : "it holds no paths.";
}

/// <summary>One operation of an API: a method on a path.</summary>
/// <param name="Body">An example of the body to send; null when it takes none.</param>
internal sealed record ApiOperation(
    string Method,
    string Path,
    string Summary,
    string Description,
    string Group,
    bool Deprecated,
    IReadOnlyList<ApiParameter> Parameters,
    string? Body,
    IReadOnlyList<(string Status, string Meaning)> Responses)
{
    /// <summary>Where to call it on the gateway: the product's base path, the path with example values, and the required query.</summary>
    public string ExamplePath(string basePath)
    {
        var path = Path;
        foreach (var parameter in Parameters.Where(p => p.In == "path"))
            path = path.Replace("{" + parameter.Name + "}", Uri.EscapeDataString(parameter.Example), StringComparison.Ordinal);
        var query = Parameters.Where(p => p is { In: "query", Required: true })
            .Select(p => $"{Uri.EscapeDataString(p.Name)}={Uri.EscapeDataString(p.Example)}").ToList();
        var prefix = basePath.TrimEnd('/');
        var whole = path.StartsWith(prefix + "/", StringComparison.Ordinal) || prefix.Length == 0 ? path : prefix + path;
        return query.Count == 0 ? whole : whole + "?" + string.Join('&', query);
    }

    internal static ApiOperation Of(string method, string path, IOpenApiPathItem item, OpenApiOperation operation)
    {
        var parameters = (operation.Parameters ?? []).Concat(item.Parameters ?? [])
            .Where(p => p.Name is { Length: > 0 } && p.In is not null)
            .DistinctBy(p => (p.Name, p.In))
            .Select(p => new ApiParameter(p.Name!, p.In.ToString()!.ToLowerInvariant(), p.Required, TypeOf(p.Schema), p.Description ?? "", ExampleOf(p)))
            .ToList();
        var body = operation.RequestBody?.Content?.TryGetValue("application/json", out var media) == true
            ? (media.Example ?? ApiParameter.ExampleOf(media.Schema))?.ToJsonString() ?? "{}"
            : null;
        return new ApiOperation(method, path, operation.Summary ?? "", operation.Description ?? "", operation.Tags?.FirstOrDefault()?.Name ?? "",
            operation.Deprecated, parameters, body,
            [.. (operation.Responses ?? []).Select(r => (r.Key, r.Value.Description ?? ""))]);
    }

    private static string TypeOf(IOpenApiSchema? schema)
    {
        var type = schema?.Type?.ToString().ToLowerInvariant() ?? "string";
        return schema?.Enum is { Count: > 0 and <= 12 } values ? $"{type}: {string.Join(", ", values.Select(Text))}" : type;
    }

    private static string ExampleOf(IOpenApiParameter parameter)
    {
        var schema = parameter.Schema;
        if (Text(parameter.Example ?? parameter.Examples?.Values.FirstOrDefault()?.Value ?? ApiParameter.ExampleOf(schema) ?? schema?.Default ?? schema?.Enum?.FirstOrDefault())
            is { Length: > 0 } given) return given;
        return schema?.Type switch
        {
            JsonSchemaType.Integer or JsonSchemaType.Number => "1",
            JsonSchemaType.Boolean => "true",
            _ => parameter.Name!,
        };
    }

    private static string Text(JsonNode? node) => node switch
    {
        null => "",
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        _ => node.ToJsonString(),
    };
}

/// <summary>A parameter of an operation.</summary>
/// <param name="In">path, query, header or cookie.</param>
internal sealed record ApiParameter(string Name, string In, bool Required, string Type, string Description, string Example)
{
#pragma warning disable CS0618    // OpenAPI 3.0 has example, 3.1 examples: documents of both kinds come in
    internal static JsonNode? ExampleOf(IOpenApiSchema? schema) => schema?.Examples?.FirstOrDefault() ?? schema?.Example;
#pragma warning restore CS0618
}
