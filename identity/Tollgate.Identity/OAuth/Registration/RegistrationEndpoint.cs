using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Tollgate.Identity.Audit;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.OAuth.Tokens;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Registration;

/// <summary>
/// Lets programs register themselves (RFC 7591): <c>POST /connect/register</c>, with an initial access token that the operator hands out. People
/// are always asked before such a client acts for them.
/// </summary>
internal sealed class RegistrationEndpoint(IdentityDb db, TokenLimits limits, AuditLog audit, IOptions<TollgateIdentityOptions> options, TimeProvider time)
{
    public static Task<IResult> HandleAsync(HttpContext http, RegistrationEndpoint endpoint, CancellationToken cancel) => endpoint.AnswerAsync(http, cancel);

    private async Task<IResult> AnswerAsync(HttpContext http, CancellationToken cancel)
    {
        if (!IsInvited(http))
        {
            if (limits.Failure(http.Connection.RemoteIpAddress, "registration") is { } wait) return OAuthAnswers.Refuse(http, OAuthRefusal.TooMany(wait));
            OAuthAnswers.NoStore(http);
            http.Response.Headers.WWWAuthenticate = "Bearer realm=\"tollgate\"" + (http.Request.Headers.Authorization.Count > 0 ? ", error=\"invalid_token\"" : "");
            return Results.StatusCode(StatusCodes.Status401Unauthorized);
        }

        if (await ReadAsync(http, cancel) is not { } body) return Refuse(http, "invalid_client_metadata", "Send a JSON object of at most 64 KiB.");
        var wish = new RegistrationWish(body);
        var known = await db.OAuthScopes.Select(s => s.Name).ToListAsync(cancel);
        var allowed = options.Value.Registration.Scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries).Intersect(known).Concat(StandardScopes.All).ToList();
        if (wish.WhatIsWrong(allowed, options.Value.IsHttps) is var (error, sentence) && error is not null) return Refuse(http, error, sentence!);
        return OAuthAnswers.Json(http, await MakeAsync(wish, allowed, cancel), StatusCodes.Status201Created);
    }

    private bool IsInvited(HttpContext http)
    {
        var registration = options.Value.Registration;
        if (http.Request.Headers.Authorization is not [{ } header] || !header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)) return false;
        var digest = Secrets.Sha256(header["Bearer ".Length..].Trim());
        var isRight = registration.Token is { Length: > 0 } token && Secrets.Same(Secrets.Sha256(token), digest);
        foreach (var one in registration.TokenSha256.Values) isRight |= Secrets.Same(one.ToLowerInvariant(), digest);
        return isRight;
    }

    private static async Task<JsonElement?> ReadAsync(HttpContext http, CancellationToken cancel)
    {
        if (http.Request.ContentType?.Split(';')[0].Trim().Equals("application/json", StringComparison.OrdinalIgnoreCase) != true
            || http.Request.ContentLength > InputLimits.FormBytes) return null;
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = InputLimits.FormBytes;
        try
        {
            using var json = await JsonDocument.ParseAsync(http.Request.Body, new JsonDocumentOptions { MaxDepth = 16 }, cancel);
            return json.RootElement.ValueKind == JsonValueKind.Object ? json.RootElement.Clone() : null;
        }
        catch (Exception bad) when (bad is JsonException or BadHttpRequestException)
        {
            return null;
        }
    }

    private async Task<JsonObject> MakeAsync(RegistrationWish wish, IReadOnlyList<string> allowed, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var client = new OAuthClient
        {
            ClientId = "dcr_" + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)), Name = wish.Name, IsPublic = wish.Method == "none", AsksConsent = true,
            Grants = wish.Grants, Scopes = wish.Scope is null ? [.. allowed] : wish.Scopes, RedirectUris = wish.RedirectUris,
            PostLogoutRedirectUris = wish.PostLogoutRedirectUris, Jwks = wish.Jwks, SigningAlgorithm = wish.SigningAlgorithm,
            BackChannelLogoutUri = wish.BackChannelLogoutUri, RequiresDpop = wish.RequiresDpop, RequiresPushedRequests = wish.RequiresPushedRequests, Created = now,
        };
        db.Add(client);
        var secret = wish.Method.StartsWith("client_secret", StringComparison.Ordinal) ? Secrets.New() : null;
        if (secret is not null)
            db.Add(new OAuthClientSecret { Id = Guid.CreateVersion7(now), ClientId = client.ClientId, Sha256 = Secrets.Sha256(secret), LastFour = secret[^4..], Created = now });
        await audit.AddAsync(db, "client.registered", client.ClientId);
        await db.SaveChangesAsync(cancel);

        var answer = new JsonObject
        {
            ["client_id"] = client.ClientId,
            ["client_id_issued_at"] = now.ToUnixTimeSeconds(),
            ["client_name"] = client.Name,
            ["redirect_uris"] = List(client.RedirectUris),
            ["post_logout_redirect_uris"] = List(client.PostLogoutRedirectUris),
            ["grant_types"] = List(client.Grants),
            ["response_types"] = client.Has(Grants.AuthorizationCode) ? List(["code"]) : [],
            ["token_endpoint_auth_method"] = wish.Method,
            ["scope"] = string.Join(' ', client.Scopes),
            ["id_token_signed_response_alg"] = client.SigningAlgorithm ?? Keys.Algorithms.Rs256,
            ["dpop_bound_access_tokens"] = client.RequiresDpop,
            ["require_pushed_authorization_requests"] = client.RequiresPushedRequests,
        };
        if (secret is not null) (answer["client_secret"], answer["client_secret_expires_at"]) = (secret, 0);
        if (client.Jwks is { } jwks) answer["jwks"] = JsonNode.Parse(jwks);
        if (client.BackChannelLogoutUri is { } uri) (answer["backchannel_logout_uri"], answer["backchannel_logout_session_required"]) = (uri, true);
        return answer;
    }

    private static IResult Refuse(HttpContext http, string error, string sentence) => OAuthAnswers.Refuse(http, new OAuthRefusal(error, sentence));

    private static JsonArray List(IEnumerable<string> values) => new([.. values.Select(v => (JsonNode)v)]);
}
