using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Tollgate.Contracts;
using Tollgate.Gateway.Bodies;
using Tollgate.Gateway.Policy;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>Writes a refusal as a problem document (RFC 9457).</summary>
internal static class ProblemAnswer
{
    private const int LongestInstance = 512;

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly byte[] RequestIdMember = "\",\"requestId\":\""u8.ToArray();
    private static readonly byte[] End = "\"}"u8.ToArray();

    public static Task WriteAsync(HttpResponse response, RefusalFace face, string path, string requestId, IReadOnlyList<Violation>? violations = null)
    {
        // A canonical path is ASCII; what of it would break JSON is escaped all the same.
        var instance = JavaScriptEncoder.Default.Encode(path.Length > LongestInstance ? path[..LongestInstance] : path);
        var length = face.Beginning.Length + instance.Length + RequestIdMember.Length + requestId.Length + End.Length;
        var errors = violations is null ? null : ErrorsOf(violations);
        if (errors is not null) length += errors.Length - End.Length;

        response.ContentType = Problem.MediaType;
        response.ContentLength = length;
        if (HttpMethods.IsHead(response.HttpContext.Request.Method)) return Task.CompletedTask;

        var writer = response.BodyWriter;
        var span = writer.GetSpan(length);
        var at = 0;
        Put(face.Beginning, span, ref at);
        at += Encoding.ASCII.GetBytes(instance, span[at..]);
        Put(RequestIdMember, span, ref at);
        at += Encoding.ASCII.GetBytes(requestId, span[at..]);
        Put(errors ?? End, span, ref at);
        writer.Advance(at);
        return writer.FlushAsync().AsTask();
    }

    // What is wrong and where, in place of the document's end.
    private static byte[] ErrorsOf(IReadOnlyList<Violation> violations) =>
    [
        .. "\",\"errors\":"u8,
        .. JsonSerializer.SerializeToUtf8Bytes(violations.Select(violation => new { pointer = violation.Pointer, detail = violation.Detail }), Relaxed),
        .. "}"u8,
    ];

    private static void Put(ReadOnlySpan<byte> bytes, Span<byte> span, ref int at)
    {
        bytes.CopyTo(span[at..]);
        at += bytes.Length;
    }
}
