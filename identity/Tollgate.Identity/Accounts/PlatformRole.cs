namespace Tollgate.Identity.Accounts;

/// <summary>What someone of the platform's own staff may do, in every organisation.</summary>
public enum PlatformRole
{
    /// <summary>Everything.</summary>
    Admin,

    /// <summary>Looks at the administration, changes nothing.</summary>
    Support,

    /// <summary>Prices, subscribers, invoices of every customer.</summary>
    Billing,

    /// <summary>Looks at the administration and at the audit log, changes nothing.</summary>
    Auditor,
}
