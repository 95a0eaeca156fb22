using Tollgate.Identity.Accounts;
using Tollgate.Identity.Organisations;

namespace Tollgate.Identity.ManagementTokens;

/// <summary>What a token of the management API may be good for. A person's session reaches as far as the person does, without scopes.</summary>
public static class ManagementScopes
{
    /// <summary>Look at everything of the organisation.</summary>
    public const string Read = "read";

    /// <summary>Applications, keys, subscriptions.</summary>
    public const string Applications = "applications";

    /// <summary>Subscriptions, invoices, payment.</summary>
    public const string Billing = "billing";

    /// <summary>Members and invitations; the organisation's tokens to look at and to end.</summary>
    public const string Members = "members";

    /// <summary>Publish a service's routes: platform admins alone give it.</summary>
    public const string Routes = "routes";

    /// <summary>Look at the administration, as far as the platform role does.</summary>
    public const string PlatformRead = "platform:read";

    /// <summary>Administer the platform.</summary>
    public const string Platform = "platform";

    public static IReadOnlyList<string> All { get; } = [Read, Applications, Billing, Members, Routes, PlatformRead, Platform];

    /// <summary>What somebody of these roles may give a token of their own.</summary>
    public static IReadOnlyList<string> Within(OrganisationRole? role, PlatformRole? platform) => [.. All.Where(scope => scope switch
    {
        Read => role is not null,
        Applications => role is OrganisationRole.Owner or OrganisationRole.Admin or OrganisationRole.Developer,
        Billing => role is OrganisationRole.Owner or OrganisationRole.Admin or OrganisationRole.Billing,
        Members => role is OrganisationRole.Owner or OrganisationRole.Admin,
        PlatformRead => platform is not null,
        Platform => platform is PlatformRole.Admin or PlatformRole.Billing,
        Routes => platform is PlatformRole.Admin,
        _ => false,
    })];

    /// <summary>What it lets a program do, for a person who chooses.</summary>
    public static string Describe(string scope) => scope switch
    {
        Read => "Look at everything of the organisation",
        Applications => "Applications, keys and subscriptions",
        Billing => "Subscriptions, invoices and payment",
        Members => "Members and invitations, and ending tokens",
        Routes => "Publish routes",
        PlatformRead => "Look at the administration",
        Platform => "Administer the platform",
        _ => scope,
    };
}
