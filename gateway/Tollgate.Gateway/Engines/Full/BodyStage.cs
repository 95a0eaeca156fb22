using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Tollgate.Gateway.Bodies;
using Tollgate.Gateway.Policy;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>Holds what is sent against what was agreed, changes it as the route says, and does the same with the answer; or makes the answer itself.</summary>
internal static class BodyStage
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 64, AllowDuplicateProperties = false };

    /// <summary>Headers that are true of the body as it came, and of no other.</summary>
    public static readonly string[] OfAnotherBody = ["Content-Encoding", "Content-MD5", "Digest", "Content-Digest", "Repr-Digest", "ETag", "Accept-Ranges"];

    /// <param name="next">The stages after this one.</param>
    public static async Task ServeAsync(Exchange exchange, RouteBodies bodies, Func<Exchange, Task> next)
    {
        var context = exchange.Context;
        if (bodies.Document is { Book: null })
        {
            await SpecialStages.RefuseAsync(exchange, Refusal.NotReady, 1);    // what must be checked and cannot be is not let through
            return;
        }

        var operation = FindOperation(exchange, bodies, out var values);
        if (bodies.OpenApi is not null && operation is null && (bodies.RefusesUnknown || bodies.Mock is { Body: null }))
        {
            await SpecialStages.RefuseAsync(exchange, Refusal.UnknownRoute);
            return;
        }

        if (bodies.ReadsRequests && !await TakeRequestAsync(exchange, bodies, operation, values)) return;
        if (bodies.Mock is { } mock)
        {
            await (SocketRequest.IsOne(context) ? SpecialStages.RefuseAsync(exchange, Refusal.UnknownRoute) : MockAsync(exchange, mock, operation));
            return;
        }

        if (!bodies.ReadsAnswers)
        {
            await next(exchange);
            return;
        }

        // What is to be read should not come encoded, and must come whole.
        if (bodies.ReadsAnswerBodies)
        {
            context.Request.Headers.AcceptEncoding = "identity";
            context.Request.Headers.Remove("Range");
            context.Request.Headers.Remove("If-Range");
        }

        exchange.HoldRecord();
        var answer = new AnswerBuffer(exchange, bodies, operation, context.Response.Body);
        context.Response.Body = answer;
        await next(exchange);
        if (!context.RequestAborted.IsCancellationRequested) await answer.FinishAsync();
    }

    private static Operation? FindOperation(Exchange exchange, RouteBodies bodies, out Dictionary<string, string> values)
    {
        values = [];
        if (bodies.OpenApi is not { } book) return null;
        ref var call = ref exchange.Call;
        var address = exchange.Route.Downstream.Fill("", call.Path, "", in exchange.Admission.Captures, exchange.Admission.Fillings);
        var question = address.IndexOf('?');
        var downstream = question < 0 ? address : address[..question];
        return book.Find(call.Method, bodies.Mock is null ? [downstream, call.Path] : [call.Path, downstream], out values);    // a mock sends nothing downstream
    }

    // False = the call was refused.
    private static async Task<bool> TakeRequestAsync(Exchange exchange, RouteBodies bodies, Operation? operation, Dictionary<string, string> values)
    {
        var request = exchange.Context.Request;
        var violations = new List<Violation>();
        if (bodies.ValidatesRequests && operation is not null) CheckParameters(exchange, operation, values, violations);

        var hasBody = !HttpMethods.IsConnect(request.Method) && exchange.Context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true;
        var type = request.ContentType ?? "";
        var schema = bodies.RequestSchema ?? (bodies.ValidatesRequests ? operation?.BodyOf(type) : null);
        if (!hasBody)
        {
            if (bodies.ValidatesRequests && operation is { BodyRequired: true } || bodies.RequestSchema is not null && request.Method is "POST" or "PUT" or "PATCH")
                violations.Add(new Violation("", "a body is needed here."));
            return violations.Count == 0 || await RefuseAsync(exchange, violations);
        }

        if (bodies.ValidatesRequests && operation is { BodyTypes.Count: > 0 } && !operation.BodyTypes.Any(known => Operation.IsType(type, known)) || bodies.RequestSchema is not null && !Operation.IsJson(type))
        {
            await SpecialStages.RefuseAsync(exchange, Refusal.UnsupportedMediaType);
            return false;
        }

        if (!Operation.IsJson(type) || schema is null && bodies.RequestChanges.Count == 0) return violations.Count == 0 || await RefuseAsync(exchange, violations);
        if (await ReadAsync(request.Body, request.ContentLength, bodies.MaxBytes, exchange.Context.RequestAborted) is not { } bytes)
        {
            await SpecialStages.RefuseAsync(exchange, Refusal.ContentTooLarge);
            return false;
        }

        JsonNode? body = null;
        switch (PlainBody.Of(bytes, request.Headers.ContentEncoding.ToString(), type, bodies.MaxBytes, out var plain, out var reason))
        {
            case PlainBody.Outcome.Unknown:
                exchange.Context.Response.Headers.AcceptEncoding = PlainBody.Codings;
                await SpecialStages.RefuseAsync(exchange, Refusal.UnsupportedMediaType);
                return false;
            case PlainBody.Outcome.TooLarge:
                await SpecialStages.RefuseAsync(exchange, Refusal.ContentTooLarge);
                return false;
            case PlainBody.Outcome.Broken:
                violations.Add(new Violation("", reason));
                break;
            case var _ when !TryParse(plain, out body, out reason):
                violations.Add(new Violation("", reason));
                break;
            default:
                schema?.Validate(plain, violations);
                break;
        }

        if (violations.Count > 0) return await RefuseAsync(exchange, violations);

        // What is not changed goes on as it came.
        if (bodies.RequestChanges.Count > 0)
        {
            bytes = RouteBodies.Write(RouteBodies.Apply(body, bodies.RequestChanges));
            foreach (var name in OfAnotherBody) request.Headers.Remove(name);
            request.ContentType = PlainBody.InUtf8(type);
        }

        request.Body = new MemoryStream(bytes, writable: false);
        request.Headers.Remove("Transfer-Encoding");
        request.ContentLength = bytes.Length;
        return true;
    }

    private static void CheckParameters(Exchange exchange, Operation operation, Dictionary<string, string> values, List<Violation> violations)
    {
        var query = QueryHelpers.ParseQuery(exchange.Call.Query);
        foreach (var parameter in operation.Parameters)
        {
            var pointer = $"/{parameter.In}/{parameter.Name}";
            if (parameter.Of(query, values, exchange.Context.Request.Headers) is { } value) parameter.Schema?.Validate(value.ToJsonString(), pointer, violations);
            else if (parameter.Required) violations.Add(new Violation(pointer, $"the {parameter.In} parameter \"{parameter.Name}\" is missing."));
        }
    }

    private static Task MockAsync(Exchange exchange, Mock mock, Operation? operation)
    {
        var response = exchange.Context.Response;
        var (status, mediaType, body) = (mock.Status, mock.MediaType, mock.Body);
        if (body is null)
        {
            var (wantedStatus, wantedExample) = Preferred(exchange.Context.Request.Headers["Prefer"].ToString());
            var described = Choose(operation!, wantedStatus ?? (mock.Status == 0 ? null : mock.Status));
            status = described.Status;
            mediaType = described.Answer?.MediaType ?? "";
            foreach (var (name, value) in described.Answer?.Headers ?? [])
                if (!HopByHopHeaders.Ends(name) && !name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
                    response.Headers[name] = value;
            var examples = described.Answer?.Examples ?? [];
            var example = examples.FirstOrDefault(one => one.Key == wantedExample) is { Key: not null } named ? named : examples.FirstOrDefault();
            body = example.Key is null || status is 204 or 304 ? []
                : Operation.IsJson(mediaType) || example.Value is not JsonValue text || !text.TryGetValue<string>(out var plain) ? RouteBodies.Write(example.Value)
                : Encoding.UTF8.GetBytes(plain);
        }

        response.StatusCode = status;
        if (mediaType.Length > 0 && body.Length > 0) response.ContentType = mediaType;
        if (status is not 204 and not 304) response.ContentLength = body.Length;
        response.Headers["Tollgate-Mock"] = "true";
        return SpecialStages.AnswerAsync(exchange, HttpMethods.IsHead(exchange.Context.Request.Method) ? [] : body);
    }

    // What a tester asks for: Prefer: code=404, example=unknown (RFC 7240).
    private static (int? Status, string? Example) Preferred(string prefer)
    {
        int? status = null;
        string? example = null;
        foreach (var part in prefer.Split([',', ';'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            if ((part.StartsWith("code=", StringComparison.OrdinalIgnoreCase) || part.StartsWith("status=", StringComparison.OrdinalIgnoreCase)) && int.TryParse(part.AsSpan(part.IndexOf('=') + 1).Trim('"'), out var code) && code is >= 200 and <= 599) status = code;
            else if (part.StartsWith("example=", StringComparison.OrdinalIgnoreCase)) example = part["example=".Length..].Trim('"');
        return (status, example);
    }

    private static (int Status, Operation.DescribedAnswer? Answer) Choose(Operation operation, int? wanted)
    {
        if (wanted is { } status) return (status, operation.AnswerOf(status));
        var good = operation.Answers.Keys.Where(key => key.Length == 3 && key[0] == '2').Order(StringComparer.Ordinal).FirstOrDefault();
        if (good is not null) return (int.TryParse(good, out var code) ? code : 200, operation.Answers[good]);
        return (200, operation.AnswerOf(200));
    }

    /// <summary>The whole of a body; null = it is larger than it may be.</summary>
    private static async Task<byte[]?> ReadAsync(Stream body, long? length, int most, CancellationToken cancel)
    {
        if (length > most) return null;
        var kept = new MemoryStream((int)(length ?? 0));
        var buffer = new byte[Math.Min(16_384, most + 1)];
        int read;
        while ((read = await body.ReadAsync(buffer, cancel)) > 0)
        {
            if (kept.Length + read > most) return null;
            kept.Write(buffer, 0, read);
        }

        return kept.ToArray();
    }

    public static bool TryParse(byte[] bytes, out JsonNode? body, out string reason)
    {
        body = null;
        try
        {
            if (bytes.AsSpan().IndexOf("\\u"u8) >= 0 && !AreCharacters(bytes))
            {
                reason = "the body has half of a surrogate pair, which is no character.";
                return false;
            }

            body = JsonNode.Parse(bytes, null, Strict);
            reason = "";
            return true;
        }
        catch (JsonException broken)
        {
            reason = $"the body is not valid JSON{(broken.LineNumber is { } line ? $" on line {line + 1}" : "")}.";
            return false;
        }
    }

    // Escapes may write what UTF-8 cannot.
    private static bool AreCharacters(byte[] bytes)
    {
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = Strict.MaxDepth });
        try
        {
            while (reader.Read())
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
                    reader.GetString();
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static async Task<bool> RefuseAsync(Exchange exchange, List<Violation> violations)
    {
        exchange.Violations = violations;
        await SpecialStages.RefuseAsync(exchange, Refusal.SchemaViolation);
        return false;
    }
}
