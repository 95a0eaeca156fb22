using System.Text.Json;
using Tollgate.Contracts;
using Tollgate.Contracts.Explain;
using Tollgate.Gateway.Admin;
using Tollgate.Gateway.Policy.Credentials;
using Tollgate.ServiceDefaults;

namespace Tollgate.Gateway.Explain;

/// <summary>
/// On the internal port, for holders of the gateway token: <c>GET /explain/{request id}</c>, and <c>POST /explain</c> with <c>{"requestId": …}</c>,
/// <c>{"key": …}</c> or <c>{"sha256": …}</c>. A key is in a body, so that no log of addresses holds it.
/// </summary>
internal static class ExplainEndpoints
{
    private const int LongestBody = 4096;

    public static void MapExplain(this IEndpointRouteBuilder endpoints, Explainer explainer, string? token)
    {
        endpoints.MapGet("/explain/{requestId}", (string requestId) => Call(explainer, requestId)).RequireOwnToken(token);
        endpoints.MapPost("/explain", (HttpContext http, CancellationToken cancel) => AskAsync(http, explainer, cancel)).RequireOwnToken(token);
    }

    private static IResult Call(Explainer explainer, string requestId) => explainer.Call(requestId) is { } call
        ? Results.Json(call, ContractJson.Default.CallExplanation)
        : Problems.NotFound("This gateway remembers no call of this id. Another one may have taken it, or it was too long ago.");

    private static async Task<IResult> AskAsync(HttpContext http, Explainer explainer, CancellationToken cancel)
    {
        Ask? ask;
        try
        {
            if (http.Request.ContentLength is null or > LongestBody) return Problems.BadRequest("explain", $"Send a JSON object of at most {LongestBody} bytes.");
            using var document = await JsonDocument.ParseAsync(http.Request.Body, cancellationToken: cancel);
            ask = Ask.Of(document.RootElement);
        }
        catch (JsonException)
        {
            ask = null;
        }

        return ask switch
        {
            { RequestId: { } id } => Call(explainer, id),
            { Digest: { } digest } => Results.Json(explainer.Key(digest), ContractJson.Default.KeyExplanation),
            _ => Problems.BadRequest("explain", "Send {\"requestId\": \"…\"}, {\"key\": \"…\"} or {\"sha256\": \"<64 hex digits>\"}."),
        };
    }

    private sealed record Ask(string? RequestId, KeyDigest? Digest)
    {
        public static Ask? Of(JsonElement body)
        {
            if (body.ValueKind != JsonValueKind.Object) return null;
            if (Text(body, "requestId") is { } id) return new Ask(id, null);
            if (Text(body, "key") is { } key) return new Ask(null, KeyDigest.Of(key));
            return Text(body, "sha256") is { } hex && KeyDigest.TryParse(hex, out var digest) ? new Ask(null, digest) : null;
        }

        private static string? Text(JsonElement body, string name) =>
            body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;
    }
}
