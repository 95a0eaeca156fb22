using System.Text.Json.Nodes;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Protocol;

namespace Tollgate.Identity.OAuth.Tokens;

/// <summary>A program acts for itself (RFC 6749 §4.4). No refresh token: it can always ask again.</summary>
internal sealed class ClientCredentialsGrant(ScopeBook scopes, AccessTokens tokens, TokenAudit audit)
{
    /// <param name="dpopKey">The thumbprint of the key that the token is bound to; null = to none.</param>
    public async Task<(JsonObject? Answer, OAuthRefusal? Refusal)> AnswerAsync(KnownClient client, Parameters form, string? dpopKey, CancellationToken cancel)
    {
        if (client.Client.IsPublic) return (null, OAuthRefusal.UnauthorizedClient("A public client has nothing to prove itself with."));
        var allowed = (await scopes.OfAsync(client.Client, cancel)).Except(StandardScopes.All).ToList();
        var (granted, refusal) = await scopes.ResolveAsync(client.Client, form["scope"], allowed, form.Resources, cancel);
        if (granted is null) return (null, refusal);

        var token = await tokens.IssueAsync(client, client.Client.ClientId, granted.Names, granted.Audiences, dpopKey, null, cancel);
        audit.Issued(client, Grants.ClientCredentials, token.Jti);
        return (token.ToAnswer(granted.Names), null);
    }
}
