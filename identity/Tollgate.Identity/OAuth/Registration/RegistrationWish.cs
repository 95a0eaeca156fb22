using System.Text.Json;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Keys;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.OAuth.Tokens;
using Tollgate.ServiceDefaults.Jose;

namespace Tollgate.Identity.OAuth.Registration;

/// <summary>What a program says of itself (RFC 7591 §2). Members that mean nothing here are left out of the answer.</summary>
internal sealed class RegistrationWish
{
    private const int MostUris = 20;

    /// <summary>What the server says of a registration, and no client writes (RFC 7592 §2.2).</summary>
    private static readonly string[] Ours = ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"];
    private static readonly string[] Methods = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"];

    /// <summary>How a client wants to be protected, where leaving it unheard would leave it with less than it believes.</summary>
    private static readonly (string Name, Func<JsonElement, bool> IsKept)[] Promises =
    [
        ("subject_type", asked => asked.ValueEquals("public")),
        ("token_endpoint_auth_signing_alg", asked => asked.ValueKind == JsonValueKind.String && PublicJwk.SignatureAlgorithms.Contains(asked.GetString())),
        ("tls_client_certificate_bound_access_tokens", asked => asked.ValueKind == JsonValueKind.False),
        .. new[]
        {
            "id_token_encrypted_response_alg", "id_token_encrypted_response_enc", "userinfo_signed_response_alg", "userinfo_encrypted_response_alg", "userinfo_encrypted_response_enc",
            "authorization_signed_response_alg", "authorization_encrypted_response_alg", "introspection_signed_response_alg", "introspection_encrypted_response_alg",
        }.Select(name => (name, (Func<JsonElement, bool>)(_ => false))),
    ];

    private readonly List<string> _badTypes = [];

    public RegistrationWish(JsonElement json)
    {
        Name = Text(json, "client_name") ?? "Unnamed application";
        Method = Text(json, "token_endpoint_auth_method") ?? "client_secret_basic";
        Grants = Texts(json, "grant_types") ?? [Tokens.Grants.AuthorizationCode];
        ResponseTypes = Texts(json, "response_types") ?? (Grants.Contains(Tokens.Grants.AuthorizationCode) ? ["code"] : []);
        RedirectUris = Texts(json, "redirect_uris") ?? [];
        PostLogoutRedirectUris = Texts(json, "post_logout_redirect_uris") ?? [];
        Scope = Text(json, "scope");
        Scopes = Scope is null ? [] : [.. ScopeBook.Split(Scope) ?? ["\""]];
        SigningAlgorithm = Text(json, "id_token_signed_response_alg");
        BackChannelLogoutUri = Text(json, "backchannel_logout_uri");
        RequiresDpop = Yes(json, "dpop_bound_access_tokens");
        RequiresPushedRequests = Yes(json, "require_pushed_authorization_requests");
        Jwks = Object(json, "jwks");
        JwksUri = Text(json, "jwks_uri");
        (ClientId, Secret) = (Text(json, "client_id"), Text(json, "client_secret"));
        NotKept = Array.Find(Promises, promise => json.TryGetProperty(promise.Name, out var asked) && asked.ValueKind != JsonValueKind.Null && !promise.IsKept(asked)).Name;
        NamesOurs = Array.Find(Ours, name => json.TryGetProperty(name, out _));
    }

    public string Name { get; }
    public string Method { get; }
    public string[] Grants { get; }
    public string[] ResponseTypes { get; }
    public string[] RedirectUris { get; }
    public string[] PostLogoutRedirectUris { get; }
    public string? Scope { get; }
    public string[] Scopes { get; }
    public string? SigningAlgorithm { get; }
    public string? BackChannelLogoutUri { get; }
    public bool RequiresDpop { get; }
    public bool RequiresPushedRequests { get; }
    public string? Jwks { get; }
    public string? JwksUri { get; }

    /// <summary>Who asks for a change, as it says in its own words; <see cref="NamesOurs"/> must be null in those.</summary>
    public string? ClientId { get; }
    public string? Secret { get; }
    public string? NamesOurs { get; }

    /// <summary>Null: there is none.</summary>
    private string? NotKept { get; }

    /// <summary>The error of RFC 7591 §3.2.2 and a sentence; nulls = nothing.</summary>
    public (string? Error, string? Sentence) WhatIsWrong(IReadOnlyList<string> allowedScopes, bool isHttps)
    {
        const string metadata = "invalid_client_metadata";
        if (_badTypes.Count > 0) return (metadata, $"{_badTypes[0]} is of the wrong type.");
        if (Name.Length is 0 or > 100 || !OneLine.Is(Name)) return (metadata, "client_name has 1 to 100 characters on one line.");
        if (!Methods.Contains(Method)) return (metadata, "token_endpoint_auth_method is not offered here.");
        if (Grants.Length == 0 || Grants.Any(g => !Tokens.Grants.All.Contains(g))) return (metadata, "grant_types holds one that is not given here, or none.");
        if (ResponseTypes.Any(r => r != "code")) return (metadata, "response_types is code here.");
        if (Grants.Contains(Tokens.Grants.AuthorizationCode) != ResponseTypes.Contains("code")) return (metadata, "grant_types and response_types do not fit each other.");
        if (Method == "none" && Grants.Contains(Tokens.Grants.ClientCredentials)) return (metadata, "A public client cannot use client_credentials.");
        if (RedirectUris.Length > MostUris || PostLogoutRedirectUris.Length > MostUris) return ("invalid_redirect_uri", $"There are more than {MostUris} addresses.");
        if (Grants.Contains(Tokens.Grants.AuthorizationCode) && RedirectUris.Length == 0) return ("invalid_redirect_uri", "redirect_uris is missing.");
        if (RedirectUris.Concat(PostLogoutRedirectUris).Any(uri => Clients.RedirectUris.WhatIsWrongWith(uri, isHttps) is not null))
            return ("invalid_redirect_uri", "An address cannot be led back to: absolute, without fragment, wildcard or user, and https but on a loopback address.");
        if (BackChannelLogoutUri is { } uri && CalledUris.WhatIsWrongWith(uri, isHttps) is { } wrong) return (metadata, "backchannel_logout_uri " + wrong);
        if (Scopes.Any(s => !allowedScopes.Contains(s))) return (metadata, "scope holds one that registered clients may not ask for.");
        if (SigningAlgorithm is { } algorithm && !Algorithms.All.Contains(algorithm)) return (metadata, "id_token_signed_response_alg is RS256 or ES256 here.");
        if (Jwks is not null && JwksUri is not null) return (metadata, "jwks and jwks_uri are two ways to say one thing: send one of them.");
        if (JwksUri is { } published && CalledUris.WhatIsWrongWith(published, isHttps) is { } unreachable) return (metadata, "jwks_uri " + unreachable);
        if (Jwks is not null && PublicJwk.ReadSet(Jwks).Count == 0) return (metadata, "jwks holds no public key that could be used: RSA from 2048 bits on, or P-256.");
        if (Jwks is not null && PublicJwk.HoldsSecret(Jwks)) return (metadata, "jwks holds a private key, which is nobody else's: make another one, and send its public half.");
        if (NotKept is { } promise) return (metadata, $"{promise} asks for what this server does not do.");
        return Method == "private_key_jwt" && Jwks is null && JwksUri is null ? (metadata, "private_key_jwt needs jwks or jwks_uri.") : (null, null);
    }

    private string? Text(JsonElement json, string name)
    {
        if (!json.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        if (value.ValueKind == JsonValueKind.String) return value.GetString();
        _badTypes.Add(name);
        return null;
    }

    private string? Object(JsonElement json, string name)
    {
        if (!json.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        if (value.ValueKind == JsonValueKind.Object) return value.GetRawText();
        _badTypes.Add(name);
        return null;
    }

    private bool Yes(JsonElement json, string name)
    {
        if (!json.TryGetProperty(name, out var value)) return false;
        if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False)) _badTypes.Add(name);
        return value.ValueKind == JsonValueKind.True;
    }

    private string[]? Texts(JsonElement json, string name)
    {
        if (!json.TryGetProperty(name, out var list) || list.ValueKind == JsonValueKind.Null) return null;
        if (list.ValueKind == JsonValueKind.Array && list.EnumerateArray().All(t => t.ValueKind == JsonValueKind.String))
            return [.. list.EnumerateArray().Select(t => t.GetString()!).Distinct()];
        _badTypes.Add(name);
        return null;
    }
}
