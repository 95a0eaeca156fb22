using System.Text.Json;
using System.Text.Json.Nodes;
using Tollgate.Gateway.Bodies.Schemas;

namespace Tollgate.Gateway.Bodies;

/// <summary>What is wrong with a body, and where.</summary>
/// <param name="Pointer">JSON pointer (RFC 6901) into the body; empty = the whole.</param>
/// <param name="IsOfShape">Another thing was meant: a member is missing or may not be here, or the value is of another kind.</param>
internal readonly record struct Violation(string Pointer, string Detail, bool IsOfShape = false);

/// <summary>A compiled schema.</summary>
internal sealed class BodySchema(SchemaNode schema)
{
    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = 64 };

    /// <summary>A schema that stands for itself.</summary>
    /// <returns>Null with the reasons among the mistakes.</returns>
    public static BodySchema? Compile(JsonNode schema, List<string> mistakes) => new SchemaDocument(schema).Compile(schema, mistakes);

    /// <param name="isAnswer">Whether the service wrote it: what is only read need not be sent, and what is only written not be answered (OpenAPI).</param>
    public void Validate(string json, string pointer, List<Violation> violations, bool isAnswer = false)
    {
        using var document = JsonDocument.Parse(json, Reading);
        Validate(document.RootElement, pointer, violations, isAnswer);
    }

    public void Validate(ReadOnlyMemory<byte> json, List<Violation> violations, bool isAnswer = false)
    {
        using var document = JsonDocument.Parse(json, Reading);
        Validate(document.RootElement, "", violations, isAnswer);
    }

    private void Validate(JsonElement body, string pointer, List<Violation> violations, bool isAnswer) =>
        schema.Holds(body, new SchemaCheck(pointer, violations, isAnswer));
}
