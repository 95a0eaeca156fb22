using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Dpop;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.Storage;
using Tollgate.ServiceDefaults.Jose;

namespace Tollgate.Identity.OAuth.Tokens;

/// <summary>Tells a client who the person is (OpenID Connect Core §5.3): <c>/connect/userinfo</c>, by scope.</summary>
internal sealed class UserInfoEndpoint(IdentityDb db, TokenStatus tokens, DpopProofs proofs)
{
    public static Task<IResult> HandleAsync(HttpContext http, UserInfoEndpoint endpoint, CancellationToken cancel) => endpoint.AnswerAsync(http, cancel);

    private async Task<IResult> AnswerAsync(HttpContext http, CancellationToken cancel)
    {
        OAuthAnswers.NoStore(http);
        var (token, isDpop, wrong) = await TokenAsync(http, cancel);
        if (wrong is not null) return Refuse(http, 400, "error=\"invalid_request\", error_description=\"" + wrong + "\"");
        if (token is null) return Refuse(http, 401, null);
        if (await tokens.LiveAccessTokenAsync(token, cancel) is not { } claims) return Refuse(http, 401, "error=\"invalid_token\"");
        if (await WhatIsWrongWithProofAsync(http, token, claims, isDpop, cancel) is { } refusal) return refusal;
        var scopes = TokenSigner.Text(claims, "scope")?.Split(' ') ?? [];
        if (!scopes.Contains(StandardScopes.OpenId)) return Refuse(http, 403, "error=\"insufficient_scope\", scope=\"openid\"");
        return await DescribeAsync(claims, scopes, cancel) is { } person ? OAuthAnswers.Json(http, person) : Refuse(http, 401, "error=\"invalid_token\"");
    }

    /// <summary>A token that is bound to a key is shown with a proof of that key, and never as one of the bearer (RFC 9449 §7).</summary>
    private async Task<IResult?> WhatIsWrongWithProofAsync(HttpContext http, string token, JsonElement claims, bool isDpop, CancellationToken cancel)
    {
        var bound = claims.TryGetProperty("cnf", out var cnf) ? TokenSigner.Text(cnf, "jkt") : null;
        if (bound is null) return isDpop ? RefuseDpop(http, "invalid_token") : null;
        if (!isDpop) return RefuseDpop(http, "invalid_token");
        var (key, refusal) = await proofs.CheckAsync(http, OAuthPaths.UserInfo, token, cancel);
        return refusal is not null ? RefuseDpop(http, refusal.Error) : key != bound ? RefuseDpop(http, "invalid_token") : null;
    }

    private async Task<JsonObject?> DescribeAsync(JsonElement claims, string[] scopes, CancellationToken cancel)
    {
        if (!Guid.TryParse(TokenSigner.Text(claims, "sub"), out var id)
            || await db.Accounts.AsNoTracking().Where(a => a.Id == id).Select(a => new { a.Email, a.EmailConfirmed }).SingleOrDefaultAsync(cancel) is not { } account)
            return null;
        var person = new JsonObject { ["sub"] = id.ToString() };
        if (scopes.Contains(StandardScopes.Profile)) person["name"] = account.Email!.Split('@')[0];
        if (scopes.Contains(StandardScopes.Email)) (person["email"], person["email_verified"]) = (account.Email, account.EmailConfirmed);
        return scopes.Contains(StandardScopes.Organisation) ? person.With(await PersonClaims.OrganisationAsync(db, id, cancel)) : person;
    }

    /// <summary>From the header, or from a form; never from the address, and never from two places (RFC 6750 §2).</summary>
    private static async Task<(string? Token, bool IsDpop, string? Wrong)> TokenAsync(HttpContext http, CancellationToken cancel)
    {
        var form = HttpMethods.IsPost(http.Request.Method) ? await Parameters.ReadFormAsync(http, cancel) : null;
        var posted = form?["access_token"];
        var headers = http.Request.Headers.Authorization;
        if (headers.Count > 1 || (headers.Count == 1 && posted is not null) || form?.IsRepeated("access_token") == true) return (null, false, "The token is there twice.");
        if (headers is not [{ } header]) return (posted, false, null);
        if (header.StartsWith("DPoP ", StringComparison.OrdinalIgnoreCase)) return (header["DPoP ".Length..].Trim(), true, null);
        return (header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header["Bearer ".Length..].Trim() : null, false, null);
    }

    private static IResult RefuseDpop(HttpContext http, string error)
    {
        http.Response.Headers.WWWAuthenticate = $"DPoP error=\"{error}\", algs=\"{string.Join(' ', PublicJwk.SignatureAlgorithms)}\"";
        return Results.StatusCode(401);
    }

    private static IResult Refuse(HttpContext http, int status, string? error)
    {
        http.Response.Headers.WWWAuthenticate = "Bearer realm=\"tollgate\"" + (error is null ? "" : ", " + error);
        return Results.StatusCode(status);
    }
}
