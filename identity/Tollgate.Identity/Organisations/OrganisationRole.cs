namespace Tollgate.Identity.Organisations;

/// <summary>What a member may do in an organisation.</summary>
public enum OrganisationRole
{
    /// <summary>Everything, and there is always one.</summary>
    Owner,

    /// <summary>Everything but ownership.</summary>
    Admin,

    /// <summary>Applications, keys, subscriptions.</summary>
    Developer,

    /// <summary>Plans, invoices, payment.</summary>
    Billing,

    /// <summary>Looks, changes nothing.</summary>
    Viewer,
}
