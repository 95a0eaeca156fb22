using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Tollgate.Identity.OAuth.Protocol;

/// <summary>Answers of the endpoints that programs call: JSON that no cache keeps.</summary>
internal static class OAuthAnswers
{
    /// <summary>Without escapes that JSON does not need: some clients look at the text.</summary>
    public static JsonSerializerOptions Plain { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The refusal where there is one, else the answer.</summary>
    public static IResult Of(HttpContext http, JsonObject? answer, OAuthRefusal? refusal, int status = StatusCodes.Status200OK) =>
        refusal is not null ? Refuse(http, refusal) : Json(http, answer!, status);

    public static IResult Json(HttpContext http, JsonObject body, int status = StatusCodes.Status200OK)
    {
        NoStore(http);
        http.Response.Headers.XContentTypeOptions = "nosniff";
        return Results.Text(body.ToJsonString(Plain), "application/json", statusCode: status);
    }

    public static IResult Refuse(HttpContext http, OAuthRefusal refusal)
    {
        // RFC 6749 §5.2, RFC 9110 §15.5.2
        if (refusal.Status == StatusCodes.Status401Unauthorized) http.Response.Headers.WWWAuthenticate = "Basic realm=\"tollgate\", charset=\"UTF-8\"";
        if (refusal.RetryAfter is { } wait) http.Response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
        return Json(http, new JsonObject { ["error"] = refusal.Error, ["error_description"] = refusal.Description }, refusal.Status);
    }

    public static void NoStore(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.Pragma = "no-cache";
    }
}
