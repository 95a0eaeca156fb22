using System.Buffers.Binary;
using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Tollgate.FunctionalTests.Identity;

/// <summary>An authenticator with one passkey (WebAuthn Level 3 §6), and the browser that stands before it: by an implementation that is not the product's.</summary>
internal sealed partial class PasskeyDevice : IDisposable
{
    private const byte Present = 0x01, Verified = 0x04, HasKey = 0x40;
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly byte[] _id = RandomNumberGenerator.GetBytes(16);
    private string? _person;
    private uint _used;

    /// <summary>Where its browser says that it is.</summary>
    public string Origin { get; init; } = "http://localhost:8090";

    /// <summary>The host that its browser asks it for.</summary>
    public string Host { get; init; } = "localhost";

    /// <summary>Whether it asked for a finger or a PIN.</summary>
    public bool Verifies { get; init; } = true;

    /// <summary>The answer to a page that asks for a new passkey.</summary>
    public string Create(string html)
    {
        var options = Options(html);
        _person = options.GetProperty("user").GetProperty("id").GetString();
        var point = _key.ExportParameters(includePrivateParameters: false).Q;
        // COSE: EC2, ES256, P-256 (RFC 9053).
        byte[] key = [0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 32, .. point.X!, 0x22, 0x58, 32, .. point.Y!];
        byte[] data = [.. Data(HasKey), .. new byte[16], 0, (byte)_id.Length, .. _id, .. key];
        byte[] attestation =
        [
            0xA3, 0x63, .. "fmt"u8, 0x64, .. "none"u8, 0x67, .. "attStmt"u8, 0xA0,
            0x68, .. "authData"u8, 0x58, (byte)data.Length, .. data,
        ];
        return Answer(new { clientDataJSON = Told("webauthn.create", options), attestationObject = Spell(attestation), transports = new[] { "internal" } });
    }

    /// <summary>The answer to a page that asks for a passkey.</summary>
    public string Prove(string html)
    {
        var told = Told("webauthn.get", Options(html));
        var data = Data();
        var signature = _key.SignData([.. data, .. SHA256.HashData(Base64Url.DecodeFromChars(told))], HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        return Answer(new { clientDataJSON = told, authenticatorData = Spell(data), signature = Spell(signature), userHandle = _person });
    }

    public void Dispose() => _key.Dispose();

    private byte[] Data(byte more = 0)
    {
        var data = new byte[37];
        SHA256.HashData(Encoding.UTF8.GetBytes(Host), data);
        data[32] = (byte)(Present | (Verifies ? Verified : 0) | more);
        BinaryPrimitives.WriteUInt32BigEndian(data.AsSpan(33), ++_used);
        return data;
    }

    private string Told(string type, JsonElement options) => Spell(JsonSerializer.SerializeToUtf8Bytes(new
    {
        type, challenge = options.GetProperty("challenge").GetString(), origin = Origin, crossOrigin = false,
    }));

    private string Answer(object response) => JsonSerializer.Serialize(new
    {
        id = Spell(_id), rawId = Spell(_id), type = "public-key", authenticatorAttachment = "platform", clientExtensionResults = new { }, response,
    });

    private static JsonElement Options(string html) => JsonSerializer.Deserialize<JsonElement>(WebUtility.HtmlDecode(OptionsPattern().Match(html).Groups[1].Value));

    private static string Spell(byte[] bytes) => Base64Url.EncodeToString(bytes);

    [GeneratedRegex("data-options=\"([^\"]+)\"")]
    private static partial Regex OptionsPattern();
}
