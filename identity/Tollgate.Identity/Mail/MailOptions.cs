using System.Net.Mail;
using Microsoft.Extensions.Options;

namespace Tollgate.Identity.Mail;

/// <summary>How mails leave: by <c>Mail:Smtp:Host</c> where it is told, else as files in the data folder's <c>mail</c>.</summary>
public sealed class MailOptions
{
    public const string Section = "Mail";

    public string From { get; set; } = "Tollgate <no-reply@tollgate.local>";
    public SmtpOptions Smtp { get; set; } = new();
}

/// <summary>The SMTP server that takes our mails.</summary>
public sealed class SmtpOptions
{
    public string? Host { get; set; }
    public int Port { get; set; } = 587;

    /// <summary>STARTTLS; off only for a server on the same machine.</summary>
    public bool Tls { get; set; } = true;
    public string? User { get; set; }
    public string? Password { get; set; }
}

internal sealed class MailOptionsValidator : IValidateOptions<MailOptions>
{
    public ValidateOptionsResult Validate(string? name, MailOptions options)
    {
        if (!MailAddress.TryCreate(options.From, out _))
            return ValidateOptionsResult.Fail("Mail:From is an address, such as Tollgate <no-reply@example.com>.");
        return options.Smtp.Port is > 0 and < 65536
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail("Mail:Smtp:Port is a number from 1 to 65535.");
    }
}
