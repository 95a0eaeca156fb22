using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Tollgate.Identity.OAuth.Authorize;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Keys;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.OAuth.Tokens;
using Tollgate.Identity.Sessions;
using Tollgate.Identity.Storage;
using Tollgate.ServiceDefaults.Jose;

namespace Tollgate.Identity.OAuth.Discovery;

/// <summary>What clients read first (OpenID Connect Discovery, RFC 8414): where everything is, and what works. Every address begins with the configured issuer.</summary>
internal static class DiscoveryEndpoints
{
    private const int MaxAgeSeconds = 300;
    private static readonly string[] Proofs = ["client_secret_basic", "client_secret_post", "private_key_jwt"];

    public static async Task<IResult> Document(HttpContext http, IdentityDb db, ScopeCache scopeCache, IOptions<TollgateIdentityOptions> options, CancellationToken cancel)
    {
        var issuer = options.Value.IssuerName;
        var at = issuer.TrimEnd('/');
        var declared = await db.OAuthScopes.AsNoTracking().Select(s => s.Name).ToListAsync(cancel);
        var scopes = declared.Union(await scopeCache.OfferedAsync(cancel)).Order(StringComparer.Ordinal).Take(1000);
        var document = new JsonObject
        {
            ["issuer"] = issuer,
            ["authorization_endpoint"] = at + OAuthPaths.Authorize,
            ["token_endpoint"] = at + OAuthPaths.Token,
            ["userinfo_endpoint"] = at + OAuthPaths.UserInfo,
            ["jwks_uri"] = at + OAuthPaths.Jwks,
            ["introspection_endpoint"] = at + OAuthPaths.Introspection,
            ["revocation_endpoint"] = at + OAuthPaths.Revocation,
            ["end_session_endpoint"] = at + OAuthPaths.EndSession,
            ["pushed_authorization_request_endpoint"] = at + OAuthPaths.PushedRequests,
            ["device_authorization_endpoint"] = at + OAuthPaths.DeviceAuthorization,
            ["grant_types_supported"] = Array(Grants.All),
            ["response_types_supported"] = Array(["code"]),
            ["response_modes_supported"] = Array(ResponseModes.All),
            ["code_challenge_methods_supported"] = Array(["S256"]),
            ["authorization_response_iss_parameter_supported"] = true,
            ["prompt_values_supported"] = Array(["none", "login", "consent", "select_account", "create"]),
            ["scopes_supported"] = Array(StandardScopes.All.Concat(scopes)),
            ["claims_supported"] = Array(["sub", "name", "email", "email_verified", "org_id", "org_role", "auth_time", "amr", "acr", "sid"]),
            ["acr_values_supported"] = Array([SignInMethods.OneFactor, SignInMethods.TwoFactors]),
            ["claims_parameter_supported"] = false,
            ["request_parameter_supported"] = false,
            ["request_uri_parameter_supported"] = false,
            ["require_pushed_authorization_requests"] = options.Value.PushedRequestsRequired,
            ["subject_types_supported"] = Array(["public"]),
            ["id_token_signing_alg_values_supported"] = Array(Algorithms.All),
            ["dpop_signing_alg_values_supported"] = Array(PublicJwk.SignatureAlgorithms),
            ["backchannel_logout_supported"] = true,
            ["backchannel_logout_session_supported"] = true,
        };
        foreach (var endpoint in (string[])["token_endpoint", "revocation_endpoint"])
            (document[endpoint + "_auth_methods_supported"], document[endpoint + "_auth_signing_alg_values_supported"]) =
                (Array([.. Proofs, "none"]), Array(PublicJwk.SignatureAlgorithms));
        (document["introspection_endpoint_auth_methods_supported"], document["introspection_endpoint_auth_signing_alg_values_supported"]) =
            (Array(Proofs), Array(PublicJwk.SignatureAlgorithms));
        if (options.Value.Registration.IsOn) document["registration_endpoint"] = at + OAuthPaths.Registration;
        return Cached(http, document);
    }

    public static async Task<IResult> Jwks(HttpContext http, SigningKeys keys, CancellationToken cancel) => Cached(http, new JsonObject
    {
        ["keys"] = new JsonArray([.. (await keys.GetAsync(cancel)).Published.Select(key => key.PublicJwk())]),
    });

    private static IResult Cached(HttpContext http, JsonObject document)
    {
        var body = document.ToJsonString(OAuthAnswers.Plain);
        var tag = $"\"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body)))[..32]}\"";
        http.Response.Headers.CacheControl = $"public, max-age={MaxAgeSeconds}";
        http.Response.Headers.ETag = tag;
        http.Response.Headers.XContentTypeOptions = "nosniff";
        return http.Request.Headers.IfNoneMatch.ToString().Contains(tag, StringComparison.Ordinal)
            ? Results.StatusCode(StatusCodes.Status304NotModified)
            : Results.Text(body, "application/json");
    }

    private static JsonArray Array(IEnumerable<string> values) => new([.. values.Select(v => (JsonNode)v)]);
}
