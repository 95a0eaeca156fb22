using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Devices;
using Tollgate.Identity.OAuth.Dpop;
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

    /// <summary>What a client may be declared for, and what this server gives.</summary>
    public static IReadOnlyList<string> All { get; } = [AuthorizationCode, RefreshToken, ClientCredentials, DeviceCode];
}

/// <summary>Gives tokens: <c>POST /connect/token</c>. Its refusals come in one order, so that nobody learns of a grant who is not its client.</summary>
internal sealed class TokenEndpoint(
    ClientAuthentication clients, ClientCredentialsGrant clientCredentials, TokenFamilies families, DeviceGrant devices, DpopProofs proofs, TokenAudit audit)
{
    public static async Task<IResult> HandleAsync(HttpContext http, TokenEndpoint endpoint, CancellationToken cancel)
    {
        var (answer, refusal) = await endpoint.AnswerAsync(http, cancel);
        return OAuthAnswers.Of(http, answer, refusal);
    }

    private async Task<(JsonObject? Answer, OAuthRefusal? Refusal)> AnswerAsync(HttpContext http, CancellationToken cancel)
    {
        var (form, client, refusal) = await clients.ReadAsync(http, cancel);
        if (form is null) return (null, refusal);
        JsonObject? answer = null;
        if (client is not null) (answer, refusal) = await GrantAsync(http, client, form, cancel);
        if (refusal is not null) audit.Refused(client?.Client.ClientId, refusal);
        return (answer, refusal);
    }

    private async Task<(JsonObject? Answer, OAuthRefusal? Refusal)> GrantAsync(HttpContext http, KnownClient client, Parameters form, CancellationToken cancel)
    {
        if (form["grant_type"] is not { } grant) return (null, OAuthRefusal.InvalidRequest("grant_type is missing."));
        if (!Grants.All.Contains(grant)) return (null, new OAuthRefusal("unsupported_grant_type", "This grant is not given here."));
        if (!client.Client.Has(grant)) return (null, OAuthRefusal.UnauthorizedClient("The client may not use this grant."));

        var (key, bad) = await proofs.AtTokenEndpointAsync(http, client.Client, cancel);
        if (bad is not null) return (null, bad);
        return grant switch
        {
            Grants.AuthorizationCode => await families.RedeemCodeAsync(client, form, key, cancel),
            Grants.RefreshToken => await families.RefreshAsync(client, form, key, cancel),
            Grants.DeviceCode => await devices.RedeemAsync(client, form, key, cancel),
            _ => await clientCredentials.AnswerAsync(client, form, key, cancel),
        };
    }
}
