using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Tokens;

/// <summary>An access token and what its answer says beside it.</summary>
internal sealed record IssuedAccessToken(string Token, string Jti, DateTimeOffset Expires, int LifetimeSeconds, bool IsBound)
{
    /// <summary>The token endpoint's answer (RFC 6749 §5.1).</summary>
    public JsonObject ToAnswer(IReadOnlyList<string> scopes)
    {
        var answer = new JsonObject { ["access_token"] = Token, ["token_type"] = IsBound ? "DPoP" : "Bearer", ["expires_in"] = LifetimeSeconds };
        if (scopes.Count > 0) answer["scope"] = string.Join(' ', scopes);
        return answer;
    }
}

/// <summary>Writes access tokens (RFC 9068): who, for which API, for how long. Plans and quotas are no business of theirs: those change at once.</summary>
internal sealed class AccessTokens(IdentityDb db, TokenSigner signer, IOptions<TollgateIdentityOptions> options, TimeProvider time)
{
    /// <param name="subject">An account's id, or the client's own name.</param>
    /// <param name="audiences">Empty = the issuer itself.</param>
    /// <param name="dpopKey">The thumbprint of the key that it is bound to (RFC 9449 §6.1); null = to none.</param>
    public async Task<IssuedAccessToken> IssueAsync(KnownClient client, string subject, IReadOnlyCollection<string> scopes, IReadOnlyList<string> audiences,
        string? dpopKey, JsonObject? more, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var lifetime = options.Value.AccessTokenLifetimeSeconds;
        var expires = now.AddSeconds(lifetime);
        var jti = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));
        var claims = new JsonObject
        {
            ["iss"] = options.Value.IssuerName,
            ["sub"] = subject,
            ["aud"] = audiences.Count switch
            {
                0 => options.Value.IssuerName,
                1 => audiences[0],
                _ => new JsonArray([.. audiences.Select(a => (JsonNode)a)]),
            },
            ["client_id"] = client.Client.ClientId,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = expires.ToUnixTimeSeconds(),
            ["jti"] = jti,
        };
        if (scopes.Count > 0) claims["scope"] = string.Join(' ', scopes);
        if (client.Organisation is { } organisation) claims["org_id"] = organisation.ToString();
        if (dpopKey is not null) claims["cnf"] = new JsonObject { ["jkt"] = dpopKey };
        foreach (var (name, value) in more ?? []) claims[name] = value?.DeepClone();
        var token = client.Client.UsesReferenceTokens
            ? await KeepAsync(client.Client, claims, expires, cancel)
            : await signer.SignAsync(TokenSigner.AccessToken, client.Client.SigningAlgorithm, claims, cancel);
        return new IssuedAccessToken(token, jti, expires, lifetime, dpopKey is not null);
    }

    private async Task<string> KeepAsync(OAuthClient client, JsonObject claims, DateTimeOffset expires, CancellationToken cancel)
    {
        var handle = Secrets.New();
        db.Add(new ReferenceToken { Sha256 = Secrets.Sha256(handle), ClientId = client.ClientId, Claims = claims.ToJsonString(OAuthAnswers.Plain), Expires = expires });
        await db.SaveChangesAsync(cancel);
        return handle;
    }
}
