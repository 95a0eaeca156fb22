using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Tollgate.Contracts.Plugins;

namespace Tollgate.Gateway.Aggregates;

/// <summary>
/// Puts the members' answers together: <c>{"key":body,…}</c>. A member that was called several times is a list. What is no JSON stands there as
/// text, and an empty body as null, so that the whole always is JSON.
/// </summary>
internal static class JsonAnswer
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <param name="answers">By member, in order; an empty list = the member is left out.</param>
    public static byte[] Write(IReadOnlyList<IReadOnlyList<AnswerPart>> answers)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(bytes, Options);
        writer.WriteStartObject();
        foreach (var member in answers)
        {
            if (member.Count == 0) continue;
            writer.WritePropertyName(member[0].Key);
            if (member.Count > 1) writer.WriteStartArray();
            foreach (var answer in member) Write(writer, answer.Body);
            if (member.Count > 1) writer.WriteEndArray();
        }

        writer.WriteEndObject();
        writer.Flush();
        return bytes.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter writer, ReadOnlySpan<byte> body)
    {
        if (body.StartsWith("\uFEFF"u8)) body = body[3..];
        if (body.IndexOfAnyExcept(" \t\r\n"u8) < 0) writer.WriteNullValue();
        else if (IsJson(body)) writer.WriteRawValue(body, skipInputValidation: true);
        else writer.WriteStringValue(Encoding.UTF8.GetString(body));
    }

    // What is not UTF-8 would take the whole answer with it (RFC 8259 §8.1).
    private static bool IsJson(ReadOnlySpan<byte> body)
    {
        if (!Utf8.IsValid(body)) return false;
        try
        {
            var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = 256 });
            while (reader.Read())
            {
            }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
