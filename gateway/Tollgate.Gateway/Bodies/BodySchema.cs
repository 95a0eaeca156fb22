using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;
using NJsonSchema;
using NJsonSchema.Validation;

namespace Tollgate.Gateway.Bodies;

/// <summary>What is wrong with a body, and where.</summary>
/// <param name="Pointer">JSON pointer (RFC 6901) into the body; empty = the whole.</param>
internal readonly record struct Violation(string Pointer, string Detail);

/// <summary>A compiled schema.</summary>
internal sealed class BodySchema
{
    private const int MostViolations = 20;
    private static readonly JsonSerializerSettings Reading = new() { DateParseHandling = DateParseHandling.None, FloatParseHandling = FloatParseHandling.Double, MaxDepth = 64 };

    private readonly JsonSchema _schema;

    static BodySchema()
    {
        // Patterns are the author's, texts the caller's: nobody may make one look for ever.
        if (AppDomain.CurrentDomain.GetData("REGEX_DEFAULT_MATCH_TIMEOUT") is null) AppDomain.CurrentDomain.SetData("REGEX_DEFAULT_MATCH_TIMEOUT", TimeSpan.FromMilliseconds(250));
    }

    private BodySchema(JsonSchema schema) => _schema = schema;

    /// <param name="components">OpenAPI's <c>components/schemas</c>; null = none.</param>
    /// <returns>Null with the reasons among the mistakes.</returns>
    public static BodySchema? Compile(JsonNode schema, JsonObject? components, List<string> mistakes)
    {
        var before = mistakes.Count;
        var whole = SchemaDialect.Bring(schema, components, mistakes);
        if (mistakes.Count > before) return null;
        try
        {
            return new BodySchema(JsonSchema.FromJsonAsync(whole.ToJsonString()).GetAwaiter().GetResult());
        }
        catch (Exception unusable) when (unusable is JsonException or InvalidOperationException or ArgumentException or FormatException or NotSupportedException)
        {
            mistakes.Add($"cannot be read as a schema: {unusable.Message.Split('\n')[0]}");
            return null;
        }
    }

    public void Validate(string json, string pointer, List<Violation> violations)
    {
        try
        {
            var body = JsonConvert.DeserializeObject<JToken>(json, Reading) ?? JValue.CreateNull();
            foreach (var error in _schema.Validate(body).SelectMany(Innermost))
            {
                if (violations.Count >= MostViolations) return;
                violations.Add(new Violation(pointer + PointerOf(error.Path, body), Sentence(error)));
            }
        }
        catch (RegexMatchTimeoutException)
        {
            violations.Add(new Violation(pointer, "a text takes too long to compare with its pattern."));
        }
    }

    // What is wrong inside an item is told there; of alternatives, none of which fits, nobody knows which was meant.
    private static IEnumerable<ValidationError> Innermost(ValidationError error) =>
        error is ChildSchemaValidationError { Kind: ValidationErrorKind.ArrayItemNotValid or ValidationErrorKind.AdditionalItemNotValid or ValidationErrorKind.AdditionalPropertiesNotValid or ValidationErrorKind.NotAllOf } outer &&
        outer.Errors.Values.SelectMany(inner => inner).SelectMany(Innermost).ToArray() is { Length: > 0 } inside
            ? inside
            : [error];

    // The validator writes "a.b[2].c", and a name may hold a dot: the body says which names there are.
    private static string PointerOf(string? path, JToken body)
    {
        var rest = (path ?? "").AsSpan().TrimStart('#').TrimStart('/');
        var pointer = new StringBuilder();
        JToken? at = body;
        while (rest.Length > 0)
        {
            if (rest[0] == '.')
            {
                rest = rest[1..];
                continue;
            }

            if (rest[0] == '[' && rest.IndexOf(']') is var close and > 1 && int.TryParse(rest[1..close], out var place))
            {
                pointer.Append('/').Append(place);
                at = at is JArray list && place < list.Count ? list[place] : null;
                rest = rest[(close + 1)..];
                continue;
            }

            var name = NameIn(rest, at as JObject);
            pointer.Append('/').Append(name.ToString().Replace("~", "~0").Replace("/", "~1"));
            at = (at as JObject)?[name.ToString()];
            rest = rest[name.Length..];
        }

        return pointer.ToString();
    }

    private static ReadOnlySpan<char> NameIn(ReadOnlySpan<char> rest, JObject? parent)
    {
        var longest = 0;
        foreach (var property in parent?.Properties() ?? [])
            if (property.Name.Length > longest && rest.StartsWith(property.Name) && (rest.Length == property.Name.Length || rest[property.Name.Length] is '.' or '['))
                longest = property.Name.Length;
        if (longest > 0) return rest[..longest];
        var end = rest.IndexOfAny('.', '[');
        return end <= 0 ? rest : rest[..end];
    }

    private static string Sentence(ValidationError error) => error.Kind switch
    {
        ValidationErrorKind.PropertyRequired => $"the member \"{error.Property}\" is missing.",
        ValidationErrorKind.NoAdditionalPropertiesAllowed => $"the member \"{error.Property}\" is not one that may be here.",
        ValidationErrorKind.StringExpected => "a text is expected here.",
        ValidationErrorKind.NumberExpected => "a number is expected here.",
        ValidationErrorKind.IntegerExpected => "a whole number is expected here.",
        ValidationErrorKind.BooleanExpected => "true or false is expected here.",
        ValidationErrorKind.ObjectExpected => "an object is expected here.",
        ValidationErrorKind.ArrayExpected => "a list is expected here.",
        ValidationErrorKind.NullExpected => "null is expected here.",
        ValidationErrorKind.NotInEnumeration => "the value is not one of those that are allowed here.",
        ValidationErrorKind.PatternMismatch => "the text does not have the form that is asked for here.",
        ValidationErrorKind.StringTooShort => "the text is too short.",
        ValidationErrorKind.StringTooLong => "the text is too long.",
        ValidationErrorKind.NumberTooSmall => "the number is too small.",
        ValidationErrorKind.NumberTooBig => "the number is too large.",
        ValidationErrorKind.TooFewItems => "the list has too few items.",
        ValidationErrorKind.TooManyItems => "the list has too many items.",
        ValidationErrorKind.ItemsNotUnique => "the list has the same item twice.",
        ValidationErrorKind.NumberNotMultipleOf => "the number is not a multiple of what is asked for.",
        ValidationErrorKind.NotOneOf => "the value fits not exactly one of the alternatives.",
        ValidationErrorKind.NotAnyOf => "the value fits none of the alternatives.",
        ValidationErrorKind.NotAllOf => "the value does not fit all that is asked of it.",
        ValidationErrorKind.ExcludedSchemaValidates => "the value is one that is excluded.",
        var kind => Words(kind.ToString()),
    };

    // "DateTimeExpected" → "date time expected."
    private static string Words(string kind) => string.Concat(kind.Select((c, i) => char.IsUpper(c) ? (i == 0 ? "" : " ") + char.ToLowerInvariant(c) : c.ToString())) + ".";
}
