using System.Net;
using System.Net.Mail;
using System.Net.Mime;
using Microsoft.Extensions.Options;

namespace Tollgate.Identity.Mail;

/// <summary>Hands letters to an SMTP server.</summary>
internal sealed class SmtpCarrier(IOptions<MailOptions> options) : IMailCarrier
{
    public async Task CarryAsync(Letter letter, CancellationToken cancel)
    {
        var smtp = options.Value.Smtp;
        using var client = new SmtpClient(smtp.Host, smtp.Port) { EnableSsl = smtp.Tls };
        if (smtp.User is { Length: > 0 }) client.Credentials = new NetworkCredential(smtp.User, smtp.Password);

        using var message = new MailMessage(options.Value.From, letter.Recipient) { Subject = letter.Subject, Body = letter.Text };
        message.AlternateViews.Add(AlternateView.CreateAlternateViewFromString(letter.Html, new ContentType("text/html; charset=utf-8")));
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        await client.SendMailAsync(message, patience.Token);
    }
}
