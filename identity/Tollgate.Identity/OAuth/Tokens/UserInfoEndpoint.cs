using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Tokens;

/// <summary>Tells a client who the person is (OpenID Connect Core §5.3): <c>/connect/userinfo</c>, by scope.</summary>
internal sealed class UserInfoEndpoint(IdentityDb db, TokenStatus tokens)
{
    public static Task<IResult> HandleAsync(HttpContext http, UserInfoEndpoint endpoint, CancellationToken cancel) => endpoint.AnswerAsync(http, cancel);

    private async Task<IResult> AnswerAsync(HttpContext http, CancellationToken cancel)
    {
        OAuthAnswers.NoStore(http);
        var token = await TokenAsync(http, cancel);
        if (token is null) return Refuse(http, 401, null);
        if (await tokens.LiveAccessTokenAsync(token, cancel) is not { } claims) return Refuse(http, 401, "error=\"invalid_token\"");
        var scopes = TokenSigner.Text(claims, "scope")?.Split(' ') ?? [];
        if (!scopes.Contains(StandardScopes.OpenId)) return Refuse(http, 403, "error=\"insufficient_scope\", scope=\"openid\"");
        return await DescribeAsync(claims, scopes, cancel) is { } person ? OAuthAnswers.Json(http, person) : Refuse(http, 401, "error=\"invalid_token\"");
    }

    private async Task<JsonObject?> DescribeAsync(JsonElement claims, string[] scopes, CancellationToken cancel)
    {
        if (!Guid.TryParse(TokenSigner.Text(claims, "sub"), out var id)
            || await db.Accounts.AsNoTracking().Where(a => a.Id == id).Select(a => new { a.Email, a.EmailConfirmed }).SingleOrDefaultAsync(cancel) is not { } account)
            return null;
        var person = new JsonObject { ["sub"] = id.ToString() };
        if (scopes.Contains(StandardScopes.Profile)) person["name"] = account.Email!.Split('@')[0];
        if (scopes.Contains(StandardScopes.Email)) (person["email"], person["email_verified"]) = (account.Email, account.EmailConfirmed);
        return person;
    }

    /// <summary>From the header, or from a form; never from the address (RFC 6750 §2).</summary>
    private static async Task<string?> TokenAsync(HttpContext http, CancellationToken cancel)
    {
        if (http.Request.Headers.Authorization is [{ } header])
            return header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header["Bearer ".Length..].Trim() : null;
        return HttpMethods.IsPost(http.Request.Method) && await Parameters.ReadFormAsync(http, cancel) is { Wrong: null } form ? form["access_token"] : null;
    }

    private static IResult Refuse(HttpContext http, int status, string? error)
    {
        http.Response.Headers.WWWAuthenticate = "Bearer realm=\"tollgate\"" + (error is null ? "" : ", " + error);
        return Results.StatusCode(status);
    }
}
