using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Tollgate.ServiceDefaults.Jose;

/// <summary>A signed JWT in its compact form, taken apart and not believed yet (RFC 7515 §3.1).</summary>
public sealed record CompactJwt(JsonElement Header, JsonElement Claims, byte[] Signed, byte[] Signature)
{
    public const int Longest = 51_200;

    // Whoever reads one member where another reads its namesake has been deceived (RFC 7515 §4, RFC 7519 §4).
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 32 };

    public string? Algorithm => Text(Header, "alg");

    public string? Type => Text(Header, "typ");

    public string? Kid => Text(Header, "kid");

    /// <summary>Null: it is none, says something twice, or names an extension that must be understood (<c>crit</c>), and none is.</summary>
    public static CompactJwt? Read(string token)
    {
        if (token.Length > Longest || token.Split('.', 4) is not [var head, var body, var signature]) return null;
        try
        {
            using var header = JsonDocument.Parse(Decode(head), Strict);
            using var claims = JsonDocument.Parse(Decode(body), Strict);
            if (header.RootElement.ValueKind != JsonValueKind.Object || claims.RootElement.ValueKind != JsonValueKind.Object
                || header.RootElement.TryGetProperty("crit", out _))
                return null;
            return new CompactJwt(header.RootElement.Clone(), claims.RootElement.Clone(), Encoding.ASCII.GetBytes($"{head}.{body}"), Decode(signature));
        }
        catch (Exception bad) when (bad is FormatException or JsonException)
        {
            return null;
        }
    }

    /// <summary>One text for one token (RFC 7515 §2): no padding, no blanks, no bits that mean nothing, which the framework lets pass.</summary>
    private static byte[] Decode(string text)
    {
        var bytes = Base64Url.DecodeFromChars(text);
        return Base64Url.EncodeToString(bytes) == text ? bytes : throw new FormatException();
    }

    /// <summary>A claim that is a text.</summary>
    public string? Text(string claim) => Text(Claims, claim);

    /// <summary>A claim that is a moment (RFC 7519 §2, NumericDate).</summary>
    public DateTimeOffset? Moment(string claim) =>
        Claims.TryGetProperty(claim, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var seconds) && seconds is > 0 and < 253_402_300_000
            ? DateTimeOffset.UnixEpoch.AddSeconds(seconds)
            : null;

    public static string? Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
