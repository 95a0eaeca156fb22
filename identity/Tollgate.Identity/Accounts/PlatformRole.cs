namespace Tollgate.Identity.Accounts;

/// <summary>What someone of the platform's own staff may do, in every organisation.</summary>
public enum PlatformRole
{
    /// <summary>Everything.</summary>
    Admin,
}
