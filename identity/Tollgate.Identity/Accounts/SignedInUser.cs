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

    public static bool IsPlatformAdmin(this ClaimsPrincipal user) =>
        user.HasClaim(TollgateClaims.PlatformRole, TollgateClaims.Value(PlatformRole.Admin));
}
