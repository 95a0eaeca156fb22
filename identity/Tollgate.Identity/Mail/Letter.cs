using System.Net;
using System.Text;

namespace Tollgate.Identity.Mail;

/// <summary>A mail in the making: paragraphs and at most a few links, written as text and as simple HTML.</summary>
internal sealed class Letter
{
    private readonly StringBuilder _text = new();
    private readonly StringBuilder _html = new();

    private Letter(string recipient, string subject) => (Recipient, Subject) = (recipient, subject);

    public string Recipient { get; }
    public string Subject { get; }

    public string Text => _text + "— Tollgate\n";

    public string Html => $"""
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>{WebUtility.HtmlEncode(Subject)}</title></head>
        <body style="margin:0;padding:32px 16px;font:16px/1.55 system-ui,sans-serif">
        <div style="max-width:34em;margin:0 auto"><p style="font-weight:600">Tollgate</p>
        {_html}</div></body></html>

        """;

    public static Letter To(string recipient, string subject) => new(recipient, subject);

    public Letter Say(string paragraph)
    {
        _text.Append(paragraph).Append("\n\n");
        _html.Append("<p>").Append(WebUtility.HtmlEncode(paragraph)).Append("</p>\n");
        return this;
    }

    public Letter Offer(string action, string link)
    {
        _text.Append(action).Append(":\n").Append(link).Append("\n\n");
        _html.Append("<p><a href=\"").Append(WebUtility.HtmlEncode(link))
            .Append("\" style=\"display:inline-block;padding:12px 20px;border-radius:10px;background:#0b6f6b;color:#ffffff;text-decoration:none\">")
            .Append(WebUtility.HtmlEncode(action)).Append("</a></p>\n");
        return this;
    }
}
