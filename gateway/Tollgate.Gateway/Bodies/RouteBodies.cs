using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tollgate.Gateway.Bodies;

/// <summary>What a route does with bodies: holds them against a schema, changes them, answers with examples.</summary>
internal sealed record RouteBodies
{
    /// <summary>Largest body that is read for any of it; a larger one is refused.</summary>
    public int MaxBytes { get; init; } = 1_048_576;

    public BodySchema? RequestSchema { get; init; }
    public BodySchema? AnswerSchema { get; init; }

    /// <summary>Written in the file, or the product's as it is now.</summary>
    public OpenApiBook? OpenApi
    {
        get => Document is null ? field : Document.Book;
        init;
    }

    /// <summary>The document of the route's product in the catalogue; null = it is not asked for.</summary>
    public ProductDocument? Document { get; init; }

    /// <summary>Whether answers are held against the document too.</summary>
    public bool ValidatesAnswers { get; init; }

    /// <summary>Whether calls are held against the document, and not only mocked by it.</summary>
    public bool ValidatesRequests { get; init; }

    /// <summary>Calls that the document does not describe are refused.</summary>
    public bool RefusesUnknown { get; init; }

    public IReadOnlyList<BodyChange> RequestChanges { get; init; } = [];
    public IReadOnlyList<BodyChange> AnswerChanges { get; init; } = [];

    /// <summary>The upstream's status to the caller's.</summary>
    public IReadOnlyDictionary<int, int> Statuses { get; init; } = new Dictionary<int, int>();

    public Mock? Mock { get; init; }

    public bool ReadsRequests => RequestSchema is not null || RequestChanges.Count > 0 || ValidatesRequests;

    public bool ReadsAnswers => AnswerSchema is not null || AnswerChanges.Count > 0 || Statuses.Count > 0 || ValidatesAnswers;

    /// <summary>Whether an answer's body matters, and not its status alone.</summary>
    public bool ReadsAnswerBodies => AnswerSchema is not null || AnswerChanges.Count > 0 || ValidatesAnswers;

    /// <summary>JSON that is read by programs, not by browsers: text stays as it is, save what JSON itself asks to be escaped.</summary>
    public static byte[] Write(JsonNode? body) => JsonSerializer.SerializeToUtf8Bytes(body, Relaxed);

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static JsonNode? Apply(JsonNode? body, IReadOnlyList<BodyChange> changes)
    {
        foreach (var change in changes) body = change.Apply(body);
        return body;
    }
}

/// <summary>Answers without an upstream. Without a body of its own: the examples of the OpenAPI document.</summary>
/// <param name="Status">0 = what the document describes.</param>
internal sealed record Mock(int Status, string MediaType, byte[]? Body);
