using System.Text.Json;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;

namespace Tollgate.Gateway.Feeds;

/// <summary>Reads single lines of a feed. Line types that this version does not know are skipped; a known one that cannot be read is an error.</summary>
internal static class FeedLineParser
{
    /// <summary>The line; null when it is of an unknown type or empty.</summary>
    public static FeedLine? Parse(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IsEmpty)
            return null;
        if (KeyLine.TryRead(utf8) is { } key)
            return key;
        try
        {
            return JsonSerializer.Deserialize(utf8, ContractJson.Default.FeedLine);
        }
        catch (Exception error) when (error is JsonException or NotSupportedException)
        {
            if (TypeOf(utf8) is { } type && !IsKnown(type))
                return null;
            throw new FeedException($"A line of the feed cannot be read: {error.Message}");
        }
    }

    private static bool IsKnown(string type) => type is "begin" or "end" or "removed" or "application" or "key" or "client" or "revoked-token" or "revoked-before" or "question" or "entitlement" or "fragment" or "purge" or "drain" or "document";

    private static string? TypeOf(ReadOnlySpan<byte> utf8)
    {
        try
        {
            var reader = new Utf8JsonReader(utf8);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return null;
            string? type = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isType = reader.ValueTextEquals("type"u8);
                reader.Read();
                if (isType && reader.TokenType == JsonTokenType.String)
                    type = reader.GetString();
                reader.Skip();
            }
            return reader.TokenType == JsonTokenType.EndObject ? type : null;    // a line that breaks off has no type
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
