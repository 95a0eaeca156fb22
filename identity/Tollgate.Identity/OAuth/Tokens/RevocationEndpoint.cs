using Microsoft.AspNetCore.Http;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Families;
using Tollgate.Identity.OAuth.Protocol;

namespace Tollgate.Identity.OAuth.Tokens;

/// <summary>Ends a token (RFC 7009): <c>POST /connect/revocation</c>. Unknown ones and those of others are answered alike, with 200, and left alone.</summary>
internal sealed class RevocationEndpoint(ClientAuthentication clients, TokenStatus tokens, TokenFamilies families)
{
    public static async Task<IResult> HandleAsync(HttpContext http, RevocationEndpoint endpoint, CancellationToken cancel)
    {
        if (await endpoint.RevokeAsync(http, cancel) is { } refusal) return OAuthAnswers.Refuse(http, refusal);
        OAuthAnswers.NoStore(http);
        return Results.Ok();
    }

    private async Task<OAuthRefusal?> RevokeAsync(HttpContext http, CancellationToken cancel)
    {
        var (form, client, refusal) = await clients.ReadAsync(http, cancel);
        if (form is null || client is null) return refusal;
        if (form["token"] is not { } token) return OAuthRefusal.InvalidRequest("token is missing.");

        if (await tokens.LiveAccessTokenAsync(token, cancel) is { } claims && TokenSigner.Text(claims, "client_id") == client.Client.ClientId)
            await tokens.RevokeAsync(claims, cancel);
        else if (token.Length <= InputLimits.Handle)
            await families.RevokeByRefreshTokenAsync(client, token, cancel);
        return null;
    }
}
