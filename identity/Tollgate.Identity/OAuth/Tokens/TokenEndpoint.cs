using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Families;
using Tollgate.Identity.OAuth.Protocol;

namespace Tollgate.Identity.OAuth.Tokens;

/// <summary>Names of the grants, as <c>grant_type</c> and clients write them.</summary>
internal static class Grants
{
    public const string ClientCredentials = "client_credentials";
    public const string AuthorizationCode = "authorization_code";
    public const string RefreshToken = "refresh_token";
    public const string DeviceCode = "urn:ietf:params:oauth:grant-type:device_code";

    /// <summary>What a client may be declared for.</summary>
    public static IReadOnlyList<string> Known { get; } = [AuthorizationCode, RefreshToken, ClientCredentials, DeviceCode];

    /// <summary>What this server gives.</summary>
    public static IReadOnlyList<string> Offered { get; } = [AuthorizationCode, RefreshToken, ClientCredentials];
}

/// <summary>Gives tokens: <c>POST /connect/token</c>. Its refusals come in one order, so that nobody learns of a grant who is not its client.</summary>
internal sealed class TokenEndpoint(ClientAuthentication clients, ClientCredentialsGrant clientCredentials, TokenFamilies families)
{
    public static async Task<IResult> HandleAsync(HttpContext http, TokenEndpoint endpoint, CancellationToken cancel)
    {
        var (answer, refusal) = await endpoint.AnswerAsync(http, cancel);
        return refusal is not null ? OAuthAnswers.Refuse(http, refusal) : OAuthAnswers.Json(http, answer!);
    }

    private async Task<(JsonObject? Answer, OAuthRefusal? Refusal)> AnswerAsync(HttpContext http, CancellationToken cancel)
    {
        if (await Parameters.ReadFormAsync(http, cancel) is not { } form)
            return (null, OAuthRefusal.InvalidRequest("Send a form (application/x-www-form-urlencoded) of at most 64 KiB."));
        if (form.Wrong is { } wrong) return (null, OAuthRefusal.InvalidRequest(wrong));
        var (client, refusal) = await clients.AuthenticateAsync(http.Request, form, cancel);
        if (client is null) return (null, refusal);

        if (form["grant_type"] is not { } grant) return (null, OAuthRefusal.InvalidRequest("grant_type is missing."));
        if (!Grants.Offered.Contains(grant)) return (null, new OAuthRefusal("unsupported_grant_type", "This grant is not given here."));
        if (!client.Client.Has(grant)) return (null, OAuthRefusal.UnauthorizedClient("The client may not use this grant."));
        return grant switch
        {
            Grants.AuthorizationCode => await families.RedeemCodeAsync(client, form, cancel),
            Grants.RefreshToken => await families.RefreshAsync(client, form, cancel),
            _ => await clientCredentials.AnswerAsync(client, form, cancel),
        };
    }
}
