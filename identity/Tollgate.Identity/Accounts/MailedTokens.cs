using System.Text;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Tollgate.Identity.Accounts;

/// <summary>Tokens behind links in mails. Each kind has a life of its own; a changed security stamp ends both.</summary>
internal static class MailedTokens
{
    public const string Confirm = "confirm";
    public const string Reset = "reset";

    /// <summary>As it is written in a link.</summary>
    public static string Write(string token) => WebEncoders.Base64UrlEncode(Encoding.UTF8.GetBytes(token));

    /// <summary>Empty when it is no such writing.</summary>
    public static string Read(string written)
    {
        try
        {
            return written.Length > 2048 ? "" : Encoding.UTF8.GetString(WebEncoders.Base64UrlDecode(written));
        }
        catch (FormatException)
        {
            return "";
        }
    }
}

internal sealed class ConfirmTokenOptions : DataProtectionTokenProviderOptions
{
    public ConfirmTokenOptions() => (Name, TokenLifespan) = ("Tollgate.Confirm", TimeSpan.FromDays(1));
}

internal sealed class ConfirmTokens(IDataProtectionProvider protection, IOptions<ConfirmTokenOptions> options, ILogger<ConfirmTokens> logger)
    : DataProtectorTokenProvider<Account>(protection, options, logger);

internal sealed class ResetTokenOptions : DataProtectionTokenProviderOptions
{
    public ResetTokenOptions() => (Name, TokenLifespan) = ("Tollgate.Reset", TimeSpan.FromHours(1));
}

internal sealed class ResetTokens(IDataProtectionProvider protection, IOptions<ResetTokenOptions> options, ILogger<ResetTokens> logger)
    : DataProtectorTokenProvider<Account>(protection, options, logger);
