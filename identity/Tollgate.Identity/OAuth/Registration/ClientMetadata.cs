using System.Text.Json.Nodes;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Tokens;

namespace Tollgate.Identity.OAuth.Registration;

/// <summary>A client that registered itself, in the words of RFC 7591 §2: written down, and read out again.</summary>
internal static class ClientMetadata
{
    /// <summary>All that was said; what was left out is as if it had never been (RFC 7592 §2.2).</summary>
    public static void Write(RegistrationWish wish, OAuthClient client, IReadOnlyList<string> allowed)
    {
        (client.Name, client.IsPublic, client.RegisteredMethod, client.AsksConsent) = (wish.Name, wish.Method == "none", wish.Method, true);
        (client.Grants, client.Scopes) = (wish.Grants, wish.Scope is null ? [.. allowed] : wish.Scopes);
        (client.RedirectUris, client.PostLogoutRedirectUris) = (wish.RedirectUris, wish.PostLogoutRedirectUris);
        (client.Jwks, client.JwksUri, client.SigningAlgorithm, client.BackChannelLogoutUri) = (wish.Jwks, wish.JwksUri, wish.SigningAlgorithm, wish.BackChannelLogoutUri);
        (client.RequiresDpop, client.RequiresPushedRequests) = (wish.RequiresDpop, wish.RequiresPushedRequests);
    }

    /// <param name="token">Changes it from now on (RFC 7592 §3); told to who has it already, or has just been given it.</param>
    /// <param name="address">Where.</param>
    /// <param name="secret">One that was just made: it is told this once.</param>
    public static JsonObject Of(OAuthClient client, string token, string address, string? secret)
    {
        var answer = new JsonObject
        {
            ["client_id"] = client.ClientId,
            ["client_id_issued_at"] = client.Created.ToUnixTimeSeconds(),
            ["client_name"] = client.Name,
            ["redirect_uris"] = List(client.RedirectUris),
            ["post_logout_redirect_uris"] = List(client.PostLogoutRedirectUris),
            ["grant_types"] = List(client.Grants),
            ["response_types"] = client.Has(Grants.AuthorizationCode) ? List(["code"]) : [],
            ["token_endpoint_auth_method"] = client.RegisteredMethod,
            ["scope"] = string.Join(' ', client.Scopes),
            ["id_token_signed_response_alg"] = client.SigningAlgorithm ?? Keys.Algorithms.Rs256,
            ["dpop_bound_access_tokens"] = client.RequiresDpop,
            ["require_pushed_authorization_requests"] = client.RequiresPushedRequests,
            ["registration_access_token"] = token,
            ["registration_client_uri"] = address,
        };
        if (secret is not null) (answer["client_secret"], answer["client_secret_expires_at"]) = (secret, 0);
        if (client.Jwks is { } jwks) answer["jwks"] = JsonNode.Parse(jwks);
        if (client.JwksUri is { } published) answer["jwks_uri"] = published;
        if (client.BackChannelLogoutUri is { } uri) (answer["backchannel_logout_uri"], answer["backchannel_logout_session_required"]) = (uri, true);
        return answer;
    }

    private static JsonArray List(IEnumerable<string> values) => new([.. values.Select(v => (JsonNode)v)]);
}
