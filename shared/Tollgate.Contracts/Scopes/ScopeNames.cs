namespace Tollgate.Contracts.Scopes;

/// <summary>What the scope of an API may be called (RFC 6749 §3.3).</summary>
public static class ScopeNames
{
    public const int MaxLength = 100;

    /// <summary>In front of the scopes of the management API.</summary>
    public const string ManagementPrefix = "tollgate:";

    private static readonly string[] OfOpenIdConnect = ["openid", "profile", "email", "address", "phone", "offline_access", "org"];

    /// <summary>Printable ASCII without spaces, quotes and backslashes.</summary>
    public static bool IsWellFormed(string name) => name.Length is > 0 and <= MaxLength && name.All(c => c is >= '!' and <= '~' and not ('"' or '\\'));

    /// <summary>Those of OpenID Connect and of the management API have a meaning already.</summary>
    public static bool IsReserved(string name) => OfOpenIdConnect.Contains(name) || name.StartsWith(ManagementPrefix, StringComparison.Ordinal);
}
