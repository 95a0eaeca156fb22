using System.Security.Claims;
using Tollgate.Identity.Organisations;

namespace Tollgate.Identity.Accounts;

/// <summary>Reads what the session says of the person.</summary>
public static class SignedInUser
{
    /// <summary>The signed-in account. Ask only where someone is signed in.</summary>
    public static Guid UserId(this ClaimsPrincipal user) =>
        Guid.TryParse(user.FindFirst(TollgateClaims.Subject)?.Value, out var id) ? id : throw new InvalidOperationException("Nobody is signed in.");

    /// <summary>The organisation that the person looks at; null when they belong to none.</summary>
    public static Contracts.OrganisationId? OrganisationId(this ClaimsPrincipal user) =>
        Guid.TryParse(user.FindFirst(TollgateClaims.Organisation)?.Value, out var id) ? new Contracts.OrganisationId(id) : null;

    /// <summary>Their role in it.</summary>
    public static OrganisationRole? OrganisationRole(this ClaimsPrincipal user) =>
        Enum.TryParse<OrganisationRole>(user.FindFirst(TollgateClaims.OrganisationRole)?.Value, ignoreCase: true, out var role) ? role : null;

    /// <summary>Their role among the platform's staff; null for customers.</summary>
    public static PlatformRole? PlatformRole(this ClaimsPrincipal user) =>
        Enum.TryParse<PlatformRole>(user.FindFirst(TollgateClaims.PlatformRole)?.Value, ignoreCase: true, out var role) ? role : null;

    /// <summary>A program with a token of the management API, not a person with a session.</summary>
    public static bool IsToken(this ClaimsPrincipal user) => user.HasClaim(claim => claim.Type == TollgateClaims.Token);

    /// <summary>Whether one of these scopes is there. A person with a session needs none.</summary>
    public static bool Reaches(this ClaimsPrincipal user, params ReadOnlySpan<string> scopes)
    {
        if (!user.IsToken()) return true;
        foreach (var scope in scopes)
            if (user.HasClaim(TollgateClaims.Scope, scope)) return true;
        return false;
    }

    public static bool IsPlatformAdmin(this ClaimsPrincipal user) =>
        user.HasClaim(TollgateClaims.PlatformRole, TollgateClaims.Value(Accounts.PlatformRole.Admin));
}
