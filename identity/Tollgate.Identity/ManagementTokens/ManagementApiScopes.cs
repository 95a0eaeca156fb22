using Tollgate.Contracts.Scopes;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Tokens;

namespace Tollgate.Identity.ManagementTokens;

/// <summary>
/// The management API as an API of the authorization server: its audience, its scopes, and the command line's client, which a person lets in
/// on a page. They are there without being declared, and clients of applications never have them.
/// </summary>
public static class ManagementApiScopes
{
    /// <summary>In front of each of <see cref="ManagementScopes"/>, where it is a scope of OAuth.</summary>
    public const string Prefix = ScopeNames.ManagementPrefix;

    /// <summary>The client of <c>tollgate login</c>.</summary>
    public const string CommandLine = "tollgate-cli";

    /// <summary>The scopes by their OAuth names.</summary>
    public static IReadOnlyList<string> All { get; } = [.. ManagementScopes.All.Select(scope => Prefix + scope)];

    /// <summary>The API that the tokens are for.</summary>
    public static string Audience(TollgateIdentityOptions options) => options.PublicUrl.TrimEnd('/') + "/api/v1";

    /// <summary>Makes of the command line's client what this version wants it to be; a bootstrap file may say otherwise afterwards.</summary>
    internal static void Describe(OAuthClient client)
    {
        (client.Name, client.IsPublic) = ("Tollgate command line", true);
        client.Grants = [Grants.DeviceCode, Grants.RefreshToken];
        client.Scopes = [.. StandardScopes.All, .. All];
    }
}
