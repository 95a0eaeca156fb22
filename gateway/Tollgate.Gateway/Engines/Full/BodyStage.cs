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

    /// <param name="next">The stages after this one.</param>
    public static async Task ServeAsync(Exchange exchange, RouteBodies bodies, Func<Exchange, Task> next)
    {
        var context = exchange.Context;
        if (context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true })
        {
            await next(exchange);
            return;
        }

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
            await MockAsync(exchange, mock, operation);
            return;
        }

        if (!bodies.ReadsAnswers)
        {
            await next(exchange);
            return;
        }

        // What is to be read must not come encoded.
        if (bodies.ReadsAnswerBodies) context.Request.Headers.AcceptEncoding = "identity";
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
        return book.Find(call.Method, [question < 0 ? address : address[..question], call.Path], out values);
    }

    // False = the call was refused.
    private static async Task<bool> TakeRequestAsync(Exchange exchange, RouteBodies bodies, Operation? operation, Dictionary<string, string> values)
    {
        var request = exchange.Context.Request;
        var violations = new List<Violation>();
        if (bodies.ValidatesRequests && operation is not null) CheckParameters(exchange, operation, values, violations);

        var hasBody = exchange.Context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true;
        var schema = bodies.RequestSchema ?? (bodies.ValidatesRequests ? operation?.Body : null);
        if (!hasBody)
        {
            if (bodies.ValidatesRequests && operation is { BodyRequired: true } || bodies.RequestSchema is not null && request.Method is "POST" or "PUT" or "PATCH")
                violations.Add(new Violation("", "a body is needed here."));
            return violations.Count == 0 || await RefuseAsync(exchange, violations);
        }

        var type = request.ContentType ?? "";
        if (bodies.ValidatesRequests && operation is { BodyTypes.Count: > 0 } && !operation.BodyTypes.Any(known => IsType(type, known)) || bodies.RequestSchema is not null && !Operation.IsJson(type))
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

        if (!TryParse(bytes, out var body, out var reason)) violations.Add(new Violation("", reason));
        else schema?.Validate(bytes, violations);
        if (violations.Count > 0) return await RefuseAsync(exchange, violations);

        if (bodies.RequestChanges.Count > 0) bytes = RouteBodies.Write(RouteBodies.Apply(body, bodies.RequestChanges));
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
            string[] given = parameter.In switch
            {
                "query" => query.TryGetValue(parameter.Name, out var found) ? [.. found.Select(value => value ?? "")] : [],
                "path" => values.TryGetValue(parameter.Name, out var value) ? [value] : [],
                _ => exchange.Context.Request.Headers.TryGetValue(parameter.Name, out var lines) ? [lines.ToString()] : [],
            };
            var pointer = $"/{parameter.In}/{parameter.Name}";
            if (given.Length == 0)
            {
                if (parameter.Required) violations.Add(new Violation(pointer, $"the {parameter.In} parameter \"{parameter.Name}\" is missing."));
                continue;
            }

            parameter.Schema?.Validate(Typed(parameter.Shape, given).ToJsonString(), pointer, violations);
        }
    }

    // Parameters are text; their schema says what they mean.
    private static JsonNode Typed(JsonObject shape, string[] given)
    {
        var type = shape["type"] is JsonArray several ? several.FirstOrDefault(one => one?.ToString() != "null")?.ToString() : shape["type"]?.ToString();
        if (type == "array") return new JsonArray([.. given.SelectMany(value => value.Split(',')).Select(value => Typed(shape["items"] as JsonObject ?? [], [value]))]);
        var text = given[0];
        return type switch
        {
            "integer" when long.TryParse(text, System.Globalization.NumberStyles.AllowLeadingSign, System.Globalization.CultureInfo.InvariantCulture, out var whole) => JsonValue.Create(whole),
            "number" when double.TryParse(text, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) => JsonValue.Create(number),
            "boolean" when text is "true" or "false" => JsonValue.Create(text == "true"),
            _ => JsonValue.Create(text)!,
        };
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
        try
        {
            body = JsonNode.Parse(bytes, null, Strict);
            reason = "";
            return true;
        }
        catch (JsonException broken)
        {
            body = null;
            reason = $"the body is not valid JSON{(broken.LineNumber is { } line ? $" on line {line + 1}" : "")}.";
            return false;
        }
    }

    private static bool IsType(string given, string known)
    {
        var semicolon = given.IndexOf(';');
        var type = (semicolon < 0 ? given : given[..semicolon]).Trim();
        if (known == "*/*" || type.Equals(known.Split(';')[0].Trim(), StringComparison.OrdinalIgnoreCase)) return true;
        return known.EndsWith("/*", StringComparison.Ordinal) && type.StartsWith(known[..^1], StringComparison.OrdinalIgnoreCase);
    }

    private static async Task<bool> RefuseAsync(Exchange exchange, List<Violation> violations)
    {
        exchange.Violations = violations;
        await SpecialStages.RefuseAsync(exchange, Refusal.SchemaViolation);
        return false;
    }
}
