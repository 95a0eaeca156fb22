namespace Tollgate.Identity.Accounts;

/// <summary>What the session cookie says of its holder. Read it through <see cref="SignedInUser"/>.</summary>
public static class TollgateClaims
{
    public const string Subject = "sub";
    public const string Email = "email";
    public const string Name = "name";

    /// <summary>The organisation that the person looks at.</summary>
    public const string Organisation = "org";

    /// <summary>Their role in it: <c>owner</c>, <c>admin</c>, <c>developer</c>, <c>billing</c>, <c>viewer</c>.</summary>
    public const string OrganisationRole = "org_role";

    /// <summary>Of the platform's own staff: <c>admin</c>, <c>support</c>, <c>billing</c>, <c>auditor</c>.</summary>
    public const string PlatformRole = "platform_role";

    /// <summary>The token of the management API that a program came with; people's sessions have none.</summary>
    public const string Token = "token";

    /// <summary>One of the things that such a token is good for.</summary>
    public const string Scope = "scope";

    /// <summary>How a role is written in a claim.</summary>
    internal static string Value<TRole>(TRole role) where TRole : struct, Enum => role.ToString().ToLowerInvariant();
}
