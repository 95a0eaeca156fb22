using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Credentials;

/// <summary>An OpenID provider in miniature.</summary>
internal sealed class TokenIssuer : IAsyncDisposable
{
    private RSA _key = RSA.Create(2048);
    private string _kid = Guid.NewGuid().ToString("N");
    private StubUpstream _server = null!;

    public string Url => _server.Url;
    public string Name => _server.Url + "/tenant";
    public int Asked => _server.Seen.Count;

    /// <summary>The name of the key that it signs with.</summary>
    public string Kid => _kid;

    public static async Task<TokenIssuer> StartAsync()
    {
        var issuer = new TokenIssuer();
        issuer._server = await StubUpstream.StartAsync(http => http.Response.WriteAsync(http.Request.Path == "/keys" ? issuer.Jwks() : issuer.Discovery()));
        return issuer;
    }

    public string Token(string client = "worker", string? issuer = null, string audience = "api", DateTime? issued = null, Dictionary<string, object>? more = null)
    {
        var claims = more ?? [];
        claims["client_id"] = client;
        return new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer ?? Name,
            Audience = audience,
            IssuedAt = issued ?? DateTime.UtcNow.AddSeconds(-30),
            NotBefore = DateTime.UtcNow.AddSeconds(-30),
            Expires = DateTime.UtcNow.AddMinutes(5),
            TokenType = "at+jwt",
            Claims = claims,
            SigningCredentials = new SigningCredentials(
                new RsaSecurityKey(_key) { KeyId = _kid, CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false } }, SecurityAlgorithms.RsaSha256),
        });
    }

    /// <summary>A good signature under whatever is said.</summary>
    public string Sign(string claims)
    {
        var unsigned = $"{Base64UrlEncoder.Encode($$"""{"alg":"RS256","typ":"at+jwt","kid":"{{_kid}}"}""")}.{Base64UrlEncoder.Encode(claims)}";
        return $"{unsigned}.{Base64UrlEncoder.Encode(_key.SignData(Encoding.ASCII.GetBytes(unsigned), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
    }

    /// <summary>Signs with another key from now on, and tells of that alone.</summary>
    public void Rotate() => (_key, _kid) = (RSA.Create(2048), Guid.NewGuid().ToString("N"));

    public ValueTask StopAsync() => _server.DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _key.Dispose();
    }

    private string Discovery() => JsonSerializer.Serialize(new { issuer = Name, jwks_uri = $"{Url}/keys" });

    private string Jwks()
    {
        var key = _key.ExportParameters(false);
        return JsonSerializer.Serialize(new { keys = new[] { new { kty = "RSA", use = "sig", kid = _kid, n = Base64UrlEncoder.Encode(key.Modulus!), e = Base64UrlEncoder.Encode(key.Exponent!) } } });
    }
}
