namespace Tollgate.Identity.Accounts;

/// <summary>How often accounts may be tried, per node. The defaults leave a busy office behind one address in peace.</summary>
public sealed class AccountLimitOptions
{
    public int SignInsPerAddressPerMinute { get; set; } = 120;
    public int SignInsPerEmailPerMinute { get; set; } = 15;

    /// <summary>Sign-ups and all else that sends a mail.</summary>
    public int MailsPerAddressPerHour { get; set; } = 120;
    public int MailsPerEmailPerHour { get; set; } = 10;

    internal string? WhatIsWrong() =>
        Math.Min(Math.Min(SignInsPerAddressPerMinute, SignInsPerEmailPerMinute), Math.Min(MailsPerAddressPerHour, MailsPerEmailPerHour)) < 1
            ? "Each of Identity:Limits is a number from 1 on."
            : null;
}
