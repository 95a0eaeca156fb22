using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using Tollgate.Gateway.Bodies;

namespace Tollgate.Gateway.Ocelot;

/// <summary>
/// What a route does with bodies, as its <c>"Tollgate"</c> block says it: <c>Validation</c>, <c>Request</c>, <c>Answer</c>, <c>Mock</c>. Schemas and documents stand in
/// the file itself, or in one beside it.
/// </summary>
internal sealed class TollgateBodies
{
    private static readonly TollgateBodies None = new();

    /// <summary>Null = the route leaves bodies alone.</summary>
    public RouteBodies? Compiled { get; private init; }

    /// <summary>Whether the document is the one of the route's product in the catalogue.</summary>
    public bool IsOfProduct { get; private init; }

    /// <summary>Files that were read, for the watcher.</summary>
    public IReadOnlyList<string> Files { get; private init; } = [];

    public static TollgateBodies Read(JsonEntry parent, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        if (parent.ReadObject("Tollgate", errors) is not { } json || json["Validation"] is null && json["Request"] is null && json["Answer"] is null && json["Mock"] is null) return None;

        var files = new List<string>();
        var validation = json.ReadObject("Validation", errors);
        validation?.WarnOfUnknown(["Request", "RequestFile", "Answer", "AnswerFile", "OpenApi", "OpenApiFile", "Answers", "UnknownOperations", "MaxBytes"], warnings);
        var request = json.ReadObject("Request", errors);
        request?.WarnOfUnknown(["Body"], warnings);
        var answer = json.ReadObject("Answer", errors);
        answer?.WarnOfUnknown(["Body", "Statuses"], warnings);

        var ofProduct = validation?["OpenApi"] is { Kind: JsonEntryKind.Scalar, IsText: true } said && said.Text.Equals("product", StringComparison.OrdinalIgnoreCase);
        if (ofProduct && json["Product"] is not { Kind: JsonEntryKind.Scalar, Text.Length: > 0 }) errors.Add(validation!.Error("OpenApi", "the document of a product needs a Product beside Validation."));
        var document = validation is null || ofProduct ? null : Document(validation, "OpenApi", files, errors);
        var mock = IsMocked(json) ? Mock(json, files, ofProduct, ref document, errors, warnings) : null;
        var book = document is { } found ? OpenApi(found, errors) : null;
        return new TollgateBodies
        {
            Files = files,
            IsOfProduct = ofProduct,
            Compiled = new RouteBodies
            {
                MaxBytes = (int)(validation?.ReadNumber("MaxBytes", 1, 104_857_600, errors) ?? 1_048_576),
                RequestSchema = validation is null ? null : Schema(validation, "Request", files, errors),
                AnswerSchema = validation is null ? null : Schema(validation, "Answer", files, errors),
                OpenApi = book,
                ValidatesRequests = ofProduct || book is not null && (validation?["OpenApi"] ?? validation?["OpenApiFile"]) is not null,
                ValidatesAnswers = (ofProduct || book is not null) && validation?.ReadFlag("Answers", errors) == true,
                RefusesUnknown = validation?.ReadChoice("UnknownOperations", ["pass", "refuse"], errors) == "refuse",
                RequestChanges = request is null ? [] : Changes(request, errors, warnings),
                AnswerChanges = answer is null ? [] : Changes(answer, errors, warnings),
                Statuses = answer is null ? new Dictionary<int, int>() : Statuses(answer, errors),
                Mock = mock,
            },
        };
    }

    /// <summary>The path of the operation that a route stands in for, where it does not write <c>DownstreamPathTemplate</c>: what its placeholders take.</summary>
    public static string? PathOf(JsonEntry route)
    {
        if (route["Tollgate"] is not { Kind: JsonEntryKind.Object } json || !IsMocked(json) || route["UpstreamPathTemplate"]?.Text is not { } template) return null;
        var placeholder = template.IndexOf('{');
        return placeholder <= 0 ? template : template[Math.Max(0, template.LastIndexOf('/', placeholder))..];
    }

    private static bool IsMocked(JsonEntry json) => json["Mock"] is { } mock && !(mock.Kind == JsonEntryKind.Scalar && mock.Text.Equals("false", StringComparison.OrdinalIgnoreCase));

    private static List<BodyChange> Changes(JsonEntry parent, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        var changes = new List<BodyChange>();
        foreach (var json in parent.ReadObjects("Body", errors))
        {
            json.WarnOfUnknown(["Rename", "To", "Add", "Set", "Value", "Remove", "Wrap", "Unwrap"], warnings);
            string? Name(string property) => json.ReadText(property, errors) is { Length: > 0 } name ? name : null;
            if (json["Rename"] is not null)
            {
                if (Name("To") is not { } to) errors.Add(json.Error("To", "the new name is needed here."));
                else if (Path(json, "Rename", errors) is { } renamed) changes.Add(new BodyChange.Rename(renamed, to));
            }
            else if (json["Add"] is not null || json["Set"] is not null)
            {
                var property = json["Set"] is null ? "Add" : "Set";
                if (!json.Members.Exists(member => member.Key.Equals("Value", StringComparison.OrdinalIgnoreCase))) errors.Add(json.Error("Value", "the value is needed here."));
                else if (Path(json, property, errors) is { } added) changes.Add(new BodyChange.Add(added, json["Value"]?.ToNode(), property == "Set"));
            }
            else if (json["Remove"] is not null)
            {
                if (Path(json, "Remove", errors) is { } removed) changes.Add(new BodyChange.Remove(removed));
            }
            else if (Name("Wrap") is { } wrapped) changes.Add(new BodyChange.Wrap(wrapped));
            else if (Name("Unwrap") is { } unwrapped) changes.Add(new BodyChange.Unwrap(unwrapped));
            else errors.Add(json.Error("a change is one of Rename with To, Add or Set with Value, Remove, Wrap and Unwrap."));
        }

        return changes;
    }

    private static BodyPath? Path(JsonEntry json, string property, List<ConfigurationError> errors)
    {
        if (json.ReadText(property, errors) is { } text && BodyPath.Parse(text) is { } path) return path;
        errors.Add(json.Error(property, "a JSON pointer to a member is needed here, such as \"/customer/name\" or \"/items/*/price\"."));
        return null;
    }

    private static Dictionary<int, int> Statuses(JsonEntry answer, List<ConfigurationError> errors)
    {
        var statuses = new Dictionary<int, int>();
        foreach (var (from, to) in answer.ReadObject("Statuses", errors)?.Members ?? [])
            if (int.TryParse(from, out var upstream) && upstream is >= 200 and <= 599 && int.TryParse(to.Text, out var caller) && caller is >= 200 and <= 599 and not 204 and not 304) statuses[upstream] = caller;
            else errors.Add(to.Error("expected a status from 200 to 599 on both sides here, such as \"404\": 410; 204 and 304 have no body and cannot stand for others."));
        return statuses;
    }

    private static Mock? Mock(JsonEntry parent, List<string> files, bool ofProduct, ref (JsonEntry At, JsonNode Node)? document, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        var entry = parent["Mock"]!;
        if (entry.Kind == JsonEntryKind.Scalar)
        {
            if (!entry.Text.Equals("true", StringComparison.OrdinalIgnoreCase)) errors.Add(entry.Error("expected true, or an object with Body or OpenApiFile here."));
            else if (document is null && !ofProduct) errors.Add(entry.Error("an OpenAPI document is needed under Validation, whose examples are the answers."));
            return new Mock(0, "", null);
        }

        if (parent.ReadObject("Mock", errors) is not { } json) return null;
        json.WarnOfUnknown(["Status", "ContentType", "Body", "OpenApi", "OpenApiFile"], warnings);
        if (!ofProduct) document ??= Document(json, "OpenApi", files, errors);
        var status = (int)(json.ReadNumber("Status", 200, 599, errors) ?? 0);
        if (json["Body"] is not { } body)
        {
            if (document is null && !ofProduct) errors.Add(json.Error("a Body is needed here, or an OpenAPI document whose examples are the answers."));
            return new Mock(status, "", null);
        }

        var type = json.ReadText("ContentType", errors) ?? (body is { Kind: JsonEntryKind.Scalar, IsText: true } ? "text/plain; charset=utf-8" : "application/json");
        var bytes = body is { Kind: JsonEntryKind.Scalar, IsText: true } ? Encoding.UTF8.GetBytes(body.Text) : RouteBodies.Write(body.ToNode());
        return new Mock(status == 0 ? 200 : status, type, bytes);
    }

    private static BodySchema? Schema(JsonEntry parent, string name, List<string> files, List<ConfigurationError> errors)
    {
        if (Document(parent, name, files, errors) is not var (at, node)) return null;
        var mistakes = new List<string>();
        var schema = BodySchema.Compile(node, mistakes);
        errors.AddRange(mistakes.Select(mistake => at.Error(mistake)));
        return schema;
    }

    private static OpenApiBook? OpenApi((JsonEntry At, JsonNode Node) document, List<ConfigurationError> errors)
    {
        var mistakes = new List<string>();
        var book = OpenApiBook.Read(document.Node, mistakes);
        errors.AddRange(mistakes.Distinct().Take(20).Select(mistake => document.At.Error(mistake)));
        return book;
    }

    // What stands under the name itself, or in the file that is named beside it.
    private static (JsonEntry At, JsonNode Node)? Document(JsonEntry parent, string name, List<string> files, List<ConfigurationError> errors)
    {
        if (parent[name] is { } inline)
        {
            if (inline.Kind == JsonEntryKind.Object || inline is { Kind: JsonEntryKind.Scalar, IsText: false }) return (inline, inline.ToNode()!);
            errors.Add(inline.Error($"expected an object here{(name == "OpenApi" ? ", or \"product\" under Validation for the document of the route's product" : "")}; a file is named by {name}File."));
            return null;
        }

        if (parent[$"{name}File"] is not { Text.Length: > 0 } named) return null;
        var file = System.IO.Path.GetFullPath(named.Text, System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(named.File))!);
        files.Add(file);
        try
        {
            var read = YamlDocument.IsNamed(file)
                ? YamlDocument.Read(File.ReadAllText(file))
                : JsonNode.Parse(File.ReadAllBytes(file), null, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            if (read is { } node) return (named, node);
            errors.Add(named.Error($"{file} holds null."));
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            errors.Add(named.Error($"cannot be read: {unreadable.Message}"));
        }
        catch (JsonException broken)
        {
            errors.Add(named.Error($"{file}:{(broken.LineNumber ?? 0) + 1} is not JSON."));
        }
        catch (YamlException broken)
        {
            errors.Add(named.Error($"{file}:{broken.Start.Line} is not YAML that can be read: {broken.Message}"));
        }

        return null;
    }
}
