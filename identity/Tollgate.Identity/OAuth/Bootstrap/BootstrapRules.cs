using Tollgate.Contracts.Scopes;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.ManagementTokens;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Keys;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.OAuth.Tokens;
using Tollgate.ServiceDefaults.Jose;

namespace Tollgate.Identity.OAuth.Bootstrap;

/// <summary>Judges a bootstrap file as a whole, before any of it is made.</summary>
internal static class BootstrapRules
{
    /// <param name="known">Names of scopes that are there already.</param>
    public static IEnumerable<string> WhatIsWrongWith(BootstrapFile file, IReadOnlyCollection<string> known, bool isHttps)
    {
        foreach (var user in file.Users)
        {
            if (EmailAddresses.WhatIsWrongWith(user.Email) is not null) yield return $"{user.At}.email is no e-mail address.";
            if (user.Password.Length is 0 or > 256) yield return $"{user.At}.password has 1 to 256 characters.";
        }

        foreach (var scope in file.Scopes)
        {
            if (!ScopeNames.IsWellFormed(scope.Name))
                yield return $"{scope.At}.name has 1 to {ScopeNames.MaxLength} visible ASCII characters, without spaces, quotes and backslashes.";
            if (scope.Name.StartsWith(ManagementApiScopes.Prefix, StringComparison.Ordinal)) yield return $"{scope.At}.name begins with {ManagementApiScopes.Prefix}, which is the management API's own.";
            if (scope.Audience is { Length: 0 or > InputLimits.RedirectUri }) yield return $"{scope.At}.audience has 1 to {InputLimits.RedirectUri} characters.";
        }

        foreach (var twice in file.Clients.GroupBy(c => c.ClientId).Where(g => g.Count() > 1)) yield return $"{twice.Last().At}.clientId stands in the file twice.";
        foreach (var twice in file.Users.GroupBy(u => u.Email.ToUpperInvariant()).Where(g => g.Count() > 1)) yield return $"{twice.Last().At}.email stands in the file twice.";
        foreach (var twice in file.Scopes.GroupBy(s => s.Name).Where(g => g.Count() > 1)) yield return $"{twice.Last().At}.name stands in the file twice.";
        var scopes = file.Scopes.Select(s => s.Name).Concat(known).Concat(StandardScopes.All).Concat(ManagementApiScopes.All).ToHashSet();
        foreach (var client in file.Clients)
            foreach (var wrong in WhatIsWrongWith(client, scopes, isHttps))
                yield return $"{client.At}.{wrong}";
    }

    private static IEnumerable<string> WhatIsWrongWith(DeclaredClient client, HashSet<string> scopes, bool isHttps)
    {
        if (client.ClientId.Length is 0 or > InputLimits.ClientId || client.ClientId.Any(c => c is <= ' ' or > '~'))
            yield return $"clientId has 1 to {InputLimits.ClientId} visible ASCII characters without spaces.";
        else if (Guid.TryParse(client.ClientId, out _))
            yield return "clientId looks like the id of a person (a UUID): a client must not be taken for one.";
        if (client.Secret is { Length: 0 or > InputLimits.Secret }) yield return $"secret has 1 to {InputLimits.Secret} characters.";
        if (client.Public && client.Secret is not null) yield return "secret is there, but a public client has none.";
        if (!client.Public && client.Secret is null && client.Jwks is null && client.JwksUri is null)
            yield return "secret is missing: a client that is not public proves itself with a secret, with jwks or with jwksUri.";
        if (client.Jwks is not null && client.JwksUri is not null) yield return "jwksUri is there beside jwks: they are two ways to say one thing.";
        if (client.JwksUri is { } published && CalledUris.WhatIsWrongWith(published, isHttps) is { } unreachable) yield return $"jwksUri: “{published}” {unreachable}";
        if (client.Jwks is { } jwks && PublicJwk.ReadSet(jwks).Count == 0)
            yield return "jwks holds no key that can be used: RSA from 2048 bits on, or EC on P-256, for signatures.";
        if (client.Name is { Length: 0 or > InputLimits.ClientId }) yield return $"name has 1 to {InputLimits.ClientId} characters.";
        if (client.SigningAlgorithm is { } algorithm && !Algorithms.All.Contains(algorithm))
            yield return $"signingAlgorithm: there is no algorithm “{algorithm}”; there are {string.Join(", ", Algorithms.All)}.";
        if (client.BackChannelLogoutUri is { } called && CalledUris.WhatIsWrongWith(called, isHttps) is { } bad) yield return $"backChannelLogoutUri: “{called}” {bad}";
        if (client.AccessTokenType is not (null or "jwt" or "reference")) yield return "accessTokenType is jwt or reference.";
        foreach (var grant in client.Grants)
            if (!Grants.All.Contains(grant)) yield return $"grants: there is no grant “{grant}”; there are {string.Join(", ", Grants.All)}.";
        if (client.Public && client.Grants.Contains(Grants.ClientCredentials)) yield return "grants: a public client cannot use client_credentials.";
        if (client.Grants.Contains(Grants.AuthorizationCode) && client.RedirectUris.Length == 0)
            yield return "redirectUris is empty: authorization_code needs somewhere to lead back to.";
        foreach (var scope in client.Scopes)
            if (!scopes.Contains(scope)) yield return $"scopes: there is no scope “{scope}”.";
        foreach (var uri in client.RedirectUris)
            if (RedirectUris.WhatIsWrongWith(uri, isHttps) is { } wrong) yield return $"redirectUris: “{uri}” {wrong}";
        foreach (var uri in client.PostLogoutRedirectUris)
            if (RedirectUris.WhatIsWrongWith(uri, isHttps) is { } wrong) yield return $"postLogoutRedirectUris: “{uri}” {wrong}";
        foreach (var origin in client.Origins)
            if (ClientFormRules.WhatIsWrongWithOrigin(origin) is { } wrong) yield return $"origins: “{origin}” {wrong}";
    }
}
