using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Tollgate.FunctionalTests.Identity.OAuth;

/// <summary>A key on P-256 that a client signs with.</summary>
internal sealed class ClientKey : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public JsonObject PublicJwk
    {
        get
        {
            var q = _key.ExportParameters(false).Q;
            return new JsonObject { ["kty"] = "EC", ["crv"] = "P-256", ["x"] = Base64Url.EncodeToString(q.X), ["y"] = Base64Url.EncodeToString(q.Y) };
        }
    }

    /// <summary>Both halves, for a client in another process.</summary>
    public string PrivateJwk
    {
        get
        {
            var jwk = PublicJwk;
            jwk["d"] = Base64Url.EncodeToString(_key.ExportParameters(true).D);
            return jwk.ToJsonString();
        }
    }

    public string Jwks => new JsonObject { ["keys"] = new JsonArray(PublicJwk) }.ToJsonString();

    public string Thumbprint => Hash($$"""{"crv":"P-256","kty":"EC","x":"{{PublicJwk["x"]}}","y":"{{PublicJwk["y"]}}"}""");

    public string Sign(JsonObject header, JsonObject claims)
    {
        var unsigned = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header.ToJsonString())) + "." + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims.ToJsonString()));
        return unsigned + "." + Base64Url.EncodeToString(_key.SignData(Encoding.ASCII.GetBytes(unsigned), HashAlgorithmName.SHA256));
    }

    /// <summary>What a client proves itself with (RFC 7523).</summary>
    public string Assertion(string client, Action<JsonObject>? claims = null, Action<JsonObject>? header = null)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var body = new JsonObject { ["iss"] = client, ["sub"] = client, ["aud"] = OAuthSite.Issuer, ["iat"] = now, ["exp"] = now + 60, ["jti"] = Guid.NewGuid().ToString() };
        var head = new JsonObject { ["alg"] = "ES256", ["typ"] = "JWT" };
        claims?.Invoke(body);
        header?.Invoke(head);
        return Sign(head, body);
    }

    /// <summary>A proof that a request is made by who holds the key (RFC 9449).</summary>
    public string Proof(string path, string method = "POST", string? accessToken = null, Action<JsonObject>? claims = null, Action<JsonObject>? header = null)
    {
        var body = new JsonObject { ["jti"] = Guid.NewGuid().ToString(), ["htm"] = method, ["htu"] = OAuthSite.Issuer + path, ["iat"] = DateTimeOffset.UtcNow.ToUnixTimeSeconds() };
        if (accessToken is not null) body["ath"] = Hash(accessToken);
        var head = new JsonObject { ["typ"] = "dpop+jwt", ["alg"] = "ES256", ["jwk"] = PublicJwk };
        claims?.Invoke(body);
        header?.Invoke(head);
        return Sign(head, body);
    }

    public void Dispose() => _key.Dispose();

    private static string Hash(string text) => Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
