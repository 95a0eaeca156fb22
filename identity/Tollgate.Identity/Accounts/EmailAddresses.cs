using System.Net.Mail;

namespace Tollgate.Identity.Accounts;

/// <summary>What passes for an e-mail address; whether it is one, only a mail can tell.</summary>
internal static class EmailAddresses
{
    public const int MaxLength = 254;

    /// <summary>A sentence; null = nothing.</summary>
    public static string? WhatIsWrongWith(string email)
    {
        if (email.Length == 0) return "Enter your e-mail address.";
        if (email.Length > MaxLength) return $"An e-mail address has at most {MaxLength} characters.";
        return !email.Any(c => char.IsControl(c) || char.IsWhiteSpace(c)) && MailAddress.TryCreate(email, out var read) && read.Address == email
            ? null
            : "This is no e-mail address: it looks like name@example.com.";
    }
}
