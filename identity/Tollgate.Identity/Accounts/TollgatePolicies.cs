using Microsoft.AspNetCore.Authorization;
using Tollgate.Identity.Organisations;

namespace Tollgate.Identity.Accounts;

/// <summary>Names of the authorization policies: <c>[Authorize(Policy = TollgatePolicies.Member)]</c>.</summary>
public static class TollgatePolicies
{
    /// <summary>Belongs to the organisation looked at.</summary>
    public const string Member = "Member";

    /// <summary>Owner, admin, developer: applications, keys.</summary>
    public const string CanManageApplications = "CanManageApplications";

    /// <summary>Owner, admin, billing: plans, invoices, payment.</summary>
    public const string CanManageBilling = "CanManageBilling";

    /// <summary>The platform's own staff.</summary>
    public const string PlatformAdmin = "PlatformAdmin";

    internal static void Add(AuthorizationBuilder authorization) => authorization
        .AddPolicy(Member, p => p.RequireAuthenticatedUser().RequireClaim(TollgateClaims.Organisation))
        .AddPolicy(CanManageApplications, p => p.RequireRoleIn(OrganisationRole.Owner, OrganisationRole.Admin, OrganisationRole.Developer))
        .AddPolicy(CanManageBilling, p => p.RequireRoleIn(OrganisationRole.Owner, OrganisationRole.Admin, OrganisationRole.Billing))
        .AddPolicy(PlatformAdmin, p => p.RequireAuthenticatedUser().RequireClaim(TollgateClaims.PlatformRole, TollgateClaims.Value(Accounts.PlatformRole.Admin)));

    private static AuthorizationPolicyBuilder RequireRoleIn(this AuthorizationPolicyBuilder policy, params OrganisationRole[] roles) => policy
        .RequireAuthenticatedUser()
        .RequireClaim(TollgateClaims.Organisation)
        .RequireClaim(TollgateClaims.OrganisationRole, roles.Select(TollgateClaims.Value));
}
