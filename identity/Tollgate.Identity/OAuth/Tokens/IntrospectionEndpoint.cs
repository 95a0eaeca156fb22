using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts;
using Tollgate.Identity.ManagementTokens;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Families;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Tokens;

/// <summary>
/// Tells an API what a token is worth (RFC 7662): <c>POST /connect/introspect</c>. Who may introspect sees the tokens for the APIs of its own
/// scopes, or for an API of its own name; one that has no scopes is the platform's own and sees all. Everybody else sees its own tokens.
/// </summary>
internal sealed class IntrospectionEndpoint(IdentityDb db, ClientAuthentication clients, TokenStatus tokens, TokenFamilies families, TokenPrincipals programs, TokenAudit audit)
{
    public static async Task<IResult> HandleAsync(HttpContext http, IntrospectionEndpoint endpoint, CancellationToken cancel)
    {
        var (answer, refusal) = await endpoint.AnswerAsync(http, cancel);
        return OAuthAnswers.Of(http, answer, refusal);
    }

    private async Task<(JsonObject? Answer, OAuthRefusal? Refusal)> AnswerAsync(HttpContext http, CancellationToken cancel)
    {
        var (form, client, refusal) = await clients.ReadAsync(http, cancel);
        if (form is null || client is null) return (null, refusal);
        if (client.Client.IsPublic) return (null, OAuthRefusal.InvalidClient("Only who can prove itself may ask."));
        if (form["token"] is not { } token) return (null, OAuthRefusal.InvalidRequest("token is missing."));

        var answer = await DescribeAsync(client, token, cancel);
        audit.Introspected(client, answer is null ? null : answer["jti"]?.GetValue<string>() ?? "refresh token");
        return (answer ?? new JsonObject { ["active"] = false }, null);
    }

    /// <summary>Null: it is worth nothing, or is not for this client to look into.</summary>
    private async Task<JsonObject?> DescribeAsync(KnownClient client, string token, CancellationToken cancel)
    {
        // Tokens of the management API are for the platform's own alone.
        if (token.StartsWith(ManagementTokenFormat.Mark, StringComparison.Ordinal)) return client.Client.SeesAllTokens ? await programs.DescribeAsync(token, cancel) : null;
        if (token.Length <= InputLimits.Handle && await families.LiveRefreshTokenAsync(client, token, cancel) is { } live) return Describe(live.Family, live.Token);
        return await tokens.LiveAccessTokenAsync(token, cancel) is { } claims && await MaySeeAsync(client.Client, claims, cancel) ? Describe(claims) : null;
    }

    private async Task<bool> MaySeeAsync(OAuthClient client, JsonElement claims, CancellationToken cancel)
    {
        if (TokenSigner.Text(claims, "client_id") == client.ClientId) return true;
        if (!client.MayIntrospect) return false;
        if (client.SeesAllTokens) return true;
        var audience = claims.GetProperty("aud");
        string?[] audiences = audience.ValueKind == JsonValueKind.Array ? [.. audience.EnumerateArray().Select(a => a.GetString())] : [audience.GetString()];
        if (audiences.Contains(client.ClientId)) return true;
        var names = client.Scopes;
        return await db.OAuthScopes.AnyAsync(s => names.Contains(s.Name) && audiences.Contains(s.Audience), cancel);
    }

    private static JsonObject Describe(TokenFamily family, RefreshToken token) => new()
    {
        ["active"] = true,
        ["client_id"] = family.ClientId,
        ["sub"] = family.Account.ToString(),
        ["scope"] = string.Join(' ', family.Scopes),
        ["exp"] = token.Expires.ToUnixTimeSeconds(),
    };

    private static JsonObject Describe(JsonElement claims)
    {
        var answer = new JsonObject { ["active"] = true, ["token_type"] = claims.TryGetProperty("cnf", out _) ? "DPoP" : "Bearer" };
        foreach (var claim in claims.EnumerateObject()) answer[claim.Name] = JsonNode.Parse(claim.Value.GetRawText());
        return answer;
    }
}
