using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Tollgate.Gateway.Policy.Metering;

namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>
/// The last good answer of an OpenID provider, in a file: a gateway that starts while the provider is away goes on taking its tokens. It holds public keys
/// alone; who can write there can also change the gateway's configuration.
/// </summary>
internal sealed class KeptAuthority(string folder, string authority)
{
    private readonly string _path = Path.Combine(folder, $"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(authority)).AsSpan(0, 16))}.json");
    private string? _written;

    /// <summary>Null: there is none that can be used.</summary>
    public (TokenKeySet Keys, Uri? Introspection)? Read()
    {
        try
        {
            var text = File.ReadAllText(_path);
            using var kept = JsonDocument.Parse(text);
            if (Text("authority") != authority || Text("issuer") is not { } issuer || Text("jwks") is not { } jwks) return null;
            _written = text;
            return (TokenKeySet.FromJwks(jwks, issuer), Uri.TryCreate(Text("introspection"), UriKind.Absolute, out var endpoint) ? endpoint : null);

            string? Text(string name) => kept.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException or JsonException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Whole or not at all. A disk that takes no more costs the next start its head start, and nothing now.</summary>
    public void Write(string? issuer, string jwks, Uri? introspection)
    {
        var text = JsonSerializer.Serialize(new { authority, issuer, jwks, introspection = introspection?.OriginalString });
        if (text == _written) return;
        try
        {
            Directory.CreateDirectory(folder);
            DurableFile.Replace(_path, Encoding.UTF8.GetBytes(text));
            _written = text;
        }
        catch (Exception full) when (full is IOException or UnauthorizedAccessException)
        {
        }
    }
}
