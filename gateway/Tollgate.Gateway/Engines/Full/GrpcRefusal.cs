using System.Globalization;
using Microsoft.AspNetCore.Http;
using Tollgate.Gateway.Policy;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>Says a refusal in gRPC's own words as well: its clients look there first, and would make little of the HTTP status.</summary>
internal static class GrpcRefusal
{
    public static void Write(HttpRequest request, IHeaderDictionary headers, RefusalFace face)
    {
        if (request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) != true) return;
        headers["grpc-status"] = CodeOf(face.Status).ToString(CultureInfo.InvariantCulture);
        headers["grpc-message"] = Uri.EscapeDataString(face.Detail).Replace("%20", " ", StringComparison.Ordinal);
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
