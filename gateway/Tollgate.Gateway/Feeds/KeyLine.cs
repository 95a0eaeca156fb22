using System.Text.Json;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;

namespace Tollgate.Gateway.Feeds;

/// <summary>
/// Reads the line of a key by hand: a snapshot has a million of them, and the general reader takes several times as long. What it does not know in every
/// detail it leaves to the general one.
/// </summary>
internal static class KeyLine
{
    private static readonly JsonReaderOptions Plain = new() { CommentHandling = JsonCommentHandling.Disallow };

    private static ReadOnlySpan<byte> Beginning => """{"type":"key","""u8;

    /// <summary>Null: not such a line, or one that must be looked at more closely.</summary>
    public static KeyItem? TryRead(ReadOnlySpan<byte> utf8)
    {
        if (!utf8.StartsWith(Beginning)) return null;
        try
        {
            return Read(utf8);
        }
        catch (Exception odd) when (odd is JsonException or FormatException or InvalidOperationException)
        {
            return null;    // the general reader says what is wrong
        }
    }

    private static KeyItem? Read(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8, Plain);
        Guid? id = null, application = null;
        string? sha256 = null, prefix = null;
        bool revoked = false, highRisk = false, test = false;
        long? expires = null;
        string[]? scopes = null, networks = null;
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("id"u8)) id = Next(ref reader).GetGuid();
            else if (reader.ValueTextEquals("sha256"u8)) sha256 = Next(ref reader).GetString();
            else if (reader.ValueTextEquals("application"u8)) application = Next(ref reader).GetGuid();
            else if (reader.ValueTextEquals("prefix"u8)) prefix = Next(ref reader).GetString();
            else if (reader.ValueTextEquals("revoked"u8)) revoked = Next(ref reader).GetBoolean();
            else if (reader.ValueTextEquals("expiresUnixMs"u8)) expires = Next(ref reader).GetInt64();
            else if (reader.ValueTextEquals("scopes"u8)) scopes = Texts(ref reader);
            else if (reader.ValueTextEquals("networks"u8)) networks = Texts(ref reader);
            else if (reader.ValueTextEquals("highRisk"u8)) highRisk = Next(ref reader).GetBoolean();
            else if (reader.ValueTextEquals("test"u8)) test = Next(ref reader).GetBoolean();
            else reader.Skip();
        }

        return reader.TokenType == JsonTokenType.EndObject && !reader.Read() && id is { } key && application is { } app && sha256 is not null && prefix is not null
            ? new KeyItem(new ApiKeyId(key), sha256, new AppId(app), prefix, revoked, expires, scopes, networks, highRisk, test)
            : null;
    }

    private static Utf8JsonReader Next(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader;
    }

    private static string[] Texts(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray) throw new FormatException("Not a list.");
        var texts = new List<string>(4);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) texts.Add(reader.GetString() ?? throw new FormatException("Not a text."));
        return [.. texts];
    }
}
