using System.Collections;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Tollgate.ServiceDefaults;

namespace Tollgate.Portal.Api;

/// <summary>A JSON body, or the sentence that says why it cannot be read. Unknown members are refused: a misspelt one is never silently ignored.</summary>
internal sealed class Body<T> : IReadBody, IEndpointParameterMetadataProvider where T : class
{
    private static JsonSerializerOptions? _strict;

    private Body(T? value, ProblemHttpResult? problem) => (_value, Problem) = (value, problem);

    private readonly T? _value;

    public T Value => _value ?? throw new InvalidOperationException("The body was refused.");
    public ProblemHttpResult? Problem { get; }

    public static async ValueTask<Body<T>?> BindAsync(HttpContext http, ParameterInfo _)
    {
        if (!http.Request.HasJsonContentType()) return new Body<T>(null, null);    // refused by OwnOriginOnly
        try
        {
            var value = await JsonSerializer.DeserializeAsync<T>(http.Request.Body, Strict(http), http.RequestAborted);
            return value is null ? Refused("The body is null; send an object.") : new Body<T>(value, null);
        }
        catch (NullItem wrong)
        {
            // The path may name the place behind the last item.
            var list = wrong.Path is { } path && path.EndsWith(']') ? path[..path.LastIndexOf('[')] : wrong.Path;
            return Refused($"The list at {list} has null as an item: leave it out.");
        }
        catch (JsonException wrong)
        {
            return Refused(Sentence(wrong));
        }
        catch (NotSupportedException)
        {
            return Refused("A member that comes in several kinds does not say which: give it its \"kind\". Compare it with /openapi/v1.json.");
        }
        catch (BadHttpRequestException wrong) when (wrong.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return new Body<T>(null, Problems.Of(413, "too-large", "Too large", "The body is larger than this call takes."));
        }
        catch (BadHttpRequestException)
        {
            return Refused("The body ended before it was complete.");
        }
    }

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) =>
        builder.Metadata.Add(new AcceptsMetadata(["application/json"], typeof(T)));

    private static Body<T> Refused(string sentence) => new(null, Problems.BadRequest("json", sentence));

    // Not the exception's own message: it names our types.
    private static string Sentence(JsonException wrong)
    {
        var line = wrong.LineNumber is { } number ? $" on line {number + 1}" : "";
        return wrong.Path is { Length: > 1 } path
            ? $"The body cannot be read at {path}{line}: the member is unknown, missing or of another type. Compare it with /openapi/v1.json."
            : $"The body is not valid JSON, or lacks a member that must be there{line}. Compare it with /openapi/v1.json.";
    }

    private static JsonSerializerOptions Strict(HttpContext http)
    {
        if (_strict is not null) return _strict;
        var shared = http.RequestServices.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions;
        return _strict = new JsonSerializerOptions(shared)
        {
            TypeInfoResolver = (shared.TypeInfoResolver ?? new DefaultJsonTypeInfoResolver()).WithAddedModifier(RefuseNullItems),
            UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
            RespectNullableAnnotations = true,
            RespectRequiredConstructorParameters = true,
            AllowOutOfOrderMetadataProperties = true,
            AllowDuplicateProperties = false,
            MaxDepth = 32,
            Converters = { new Text() },
        };
    }

    // The annotations say nothing of the items of lists.
    private static void RefuseNullItems(JsonTypeInfo type)
    {
        if (type.Kind != JsonTypeInfoKind.Enumerable) return;
        type.OnDeserialized = list =>
        {
            if (((IEnumerable)list).Cast<object?>().Contains(null)) throw new NullItem();
        };
    }

    private sealed class NullItem : JsonException;

    /// <summary>NUL is no character of any text, and PostgreSQL keeps none.</summary>
    private sealed class Text : JsonConverter<string>
    {
        public override string? Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String && reader.GetString() is { } text && !text.Contains('\0') ? text : throw new JsonException();

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);
    }
}

/// <summary>A bound body that may have been refused.</summary>
internal interface IReadBody
{
    ProblemHttpResult? Problem { get; }
}

/// <summary>Answers with the problem of a body that could not be read.</summary>
internal sealed class ReadableBody : IEndpointFilter
{
    public ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        foreach (var argument in call.Arguments)
            if (argument is IReadBody { Problem: { } problem }) return new ValueTask<object?>(problem);
        return next(call);
    }
}
