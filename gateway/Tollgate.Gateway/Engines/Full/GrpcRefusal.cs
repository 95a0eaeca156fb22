using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Tollgate.Gateway.Policy;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>
/// Says a refusal in gRPC's own words, as an answer of trailers alone: its clients look for them where no body follows, and would make little of the HTTP
/// status, which stays as it is for everybody between.
/// </summary>
internal static class GrpcRefusal
{
    public static bool IsFor(HttpRequest request) => request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true;

    public static void Write(HttpResponse response, RefusalFace face)
    {
        var headers = response.Headers;
        response.ContentType = "application/grpc";
        headers["grpc-status"] = CodeOf(face.Status).ToString(CultureInfo.InvariantCulture);
        headers["grpc-message"] = Ascii.IsValid(face.Detail) && !face.Detail.Contains('%') ? face.Detail : Uri.EscapeDataString(face.Detail);
    }

    // As gRPC maps HTTP's statuses, and closer where its own code says what happened.
    private static int CodeOf(int status) => status switch
    {
        400 or 415 or 422 => 3,            // INVALID_ARGUMENT
        401 => 16,                         // UNAUTHENTICATED
        402 or 403 => 7,                   // PERMISSION_DENIED
        404 => 12,                         // UNIMPLEMENTED
        408 or 504 => 4,                   // DEADLINE_EXCEEDED
        413 or 414 or 429 or 431 => 8,     // RESOURCE_EXHAUSTED
        502 or 503 => 14,                  // UNAVAILABLE
        _ => 2,                            // UNKNOWN
    };
}
