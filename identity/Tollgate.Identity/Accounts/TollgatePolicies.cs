using System.Security.Claims;
using Microsoft.AspNetCore.Authorization;
using Tollgate.Identity.ManagementTokens;
using Tollgate.Identity.Organisations;

namespace Tollgate.Identity.Accounts;

/// <summary>
/// Names of the authorization policies: <c>[Authorize(Policy = TollgatePolicies.Member)]</c>. Each asks for a role and, of a program that comes
/// with a token, for the scope that goes with it.
/// </summary>
public static class TollgatePolicies
{
    /// <summary>Somebody with a session: what concerns an account itself is no program's.</summary>
    public const string Person = "Person";

    /// <summary>A person, or a program that speaks for one and may look: what concerns the person, to be read.</summary>
    public const string SomebodysOwn = "SomebodysOwn";

    /// <summary>A person, or a program that speaks for one: what is done in somebody's name, whose role is asked once more where it is done.</summary>
    public const string InSomebodysName = "InSomebodysName";

    /// <summary>Belongs to the organisation looked at.</summary>
    public const string Member = "Member";

    /// <summary>Owner, admin, developer: applications, keys.</summary>
    public const string CanManageApplications = "CanManageApplications";

    /// <summary>Owner, admin, billing: plans, invoices, payment.</summary>
    public const string CanManageBilling = "CanManageBilling";

    /// <summary>Everybody but viewers: developers subscribe what they build, the billing role what it pays for.</summary>
    public const string CanSubscribe = "CanSubscribe";

    /// <summary>Owner, admin: members, invitations, service tokens.</summary>
    public const string CanManageMembers = "CanManageMembers";

    /// <summary>Owner: ownership, the organisation's audit log, its end.</summary>
    public const string Owner = "Owner";

    /// <summary>Of the platform's staff, of any role: may look at the administration.</summary>
    public const string PlatformStaff = "PlatformStaff";

    /// <summary>The platform's admins: may change things.</summary>
    public const string PlatformAdmin = "PlatformAdmin";

    /// <summary>The platform's admins and its billing staff: prices, subscribers, invoices.</summary>
    public const string PlatformBilling = "PlatformBilling";

    /// <summary>The platform's admins and auditors: the audit log.</summary>
    public const string PlatformAuditor = "PlatformAuditor";

    /// <summary>Platform admins, and service tokens that they gave the scope <c>routes</c>.</summary>
    public const string CanPublishRoutes = "CanPublishRoutes";

    internal static void Add(AuthorizationBuilder authorization) => authorization
        .AddPolicy(Person, p => p.RequireAuthenticatedUser().RequireAssertion(c => !c.User.IsToken()))
        .AddPolicy(SomebodysOwn, p => p.Ask(u => u.HasClaim(claim => claim.Type == TollgateClaims.Subject) && u.Reaches(ManagementScopes.Read)))
        .AddPolicy(InSomebodysName, p => p.Ask(u => u.HasClaim(claim => claim.Type == TollgateClaims.Subject)))
        .AddPolicy(Member, p => p.RequireAuthenticatedUser().RequireClaim(TollgateClaims.Organisation)
            .Ask(u => u.Reaches(ManagementScopes.Read, ManagementScopes.Applications, ManagementScopes.Billing, ManagementScopes.Members)))
        .AddPolicy(CanManageApplications, p => p.RequireRoleIn(OrganisationRole.Owner, OrganisationRole.Admin, OrganisationRole.Developer)
            .Ask(u => u.Reaches(ManagementScopes.Applications)))
        .AddPolicy(CanManageBilling, p => p.RequireRoleIn(OrganisationRole.Owner, OrganisationRole.Admin, OrganisationRole.Billing)
            .Ask(u => u.Reaches(ManagementScopes.Billing)))
        .AddPolicy(CanSubscribe, p => p.RequireRoleIn(OrganisationRole.Owner, OrganisationRole.Admin, OrganisationRole.Developer, OrganisationRole.Billing)
            .Ask(u => u.Reaches(ManagementScopes.Applications, ManagementScopes.Billing)))
        .AddPolicy(CanManageMembers, p => p.RequireRoleIn(OrganisationRole.Owner, OrganisationRole.Admin).Ask(u => u.Reaches(ManagementScopes.Members)))
        .AddPolicy(Owner, p => p.RequireRoleIn(OrganisationRole.Owner).Ask(u => u.Reaches(ManagementScopes.Members)))
        .AddPolicy(PlatformStaff, p => p.Ask(u => u.PlatformRole() is not null && u.Reaches(ManagementScopes.PlatformRead, ManagementScopes.Platform)))
        .AddPolicy(PlatformAdmin, p => p.Ask(u => u.IsPlatformAdmin() && u.Reaches(ManagementScopes.Platform)))
        .AddPolicy(PlatformBilling, p => p.Ask(u => u.PlatformRole() is PlatformRole.Admin or PlatformRole.Billing && u.Reaches(ManagementScopes.Platform)))
        .AddPolicy(PlatformAuditor, p => p.Ask(u => u.PlatformRole() is PlatformRole.Admin or PlatformRole.Auditor && u.Reaches(ManagementScopes.PlatformRead, ManagementScopes.Platform)))
        .AddPolicy(CanPublishRoutes, p => p.Ask(MayPublishRoutes));

    private static bool MayPublishRoutes(ClaimsPrincipal user) => user.IsToken() && user.FindFirst(TollgateClaims.Subject) is null
        ? user.Reaches(ManagementScopes.Routes)
        : user.IsPlatformAdmin() && user.Reaches(ManagementScopes.Routes, ManagementScopes.Platform);

    private static AuthorizationPolicyBuilder Ask(this AuthorizationPolicyBuilder policy, Func<ClaimsPrincipal, bool> question) =>
        policy.RequireAuthenticatedUser().RequireAssertion(context => question(context.User));

    private static AuthorizationPolicyBuilder RequireRoleIn(this AuthorizationPolicyBuilder policy, params OrganisationRole[] roles) => policy
        .RequireAuthenticatedUser()
        .RequireClaim(TollgateClaims.Organisation)
        .RequireClaim(TollgateClaims.OrganisationRole, roles.Select(TollgateClaims.Value));
}
