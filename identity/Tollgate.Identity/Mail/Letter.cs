using System.Net;
using System.Text;
using System.Text.Json;

namespace Tollgate.Identity.Mail;

/// <summary>A mail in the making: paragraphs and at most a few links, written as text and as simple HTML.</summary>
internal sealed class Letter
{
    private readonly List<Part> _parts;

    private Letter(string recipient, string subject, List<Part> parts) => (Recipient, Subject, _parts) = (recipient, subject, parts);

    public string Recipient { get; }
    public string Subject { get; }

    public string Text
    {
        get
        {
            var text = new StringBuilder();
            foreach (var part in _parts) text.Append(part.Link is null ? part.Words + "\n\n" : $"{part.Words}:\n{part.Link}\n\n");
            return text.Append("— Tollgate\n").ToString();
        }
    }

    public string Html
    {
        get
        {
            var html = new StringBuilder();
            foreach (var (words, link) in _parts)
            {
                html.Append("<p>");
                if (link is not null)
                    html.Append("<a href=\"").Append(WebUtility.HtmlEncode(link))
                        .Append("\" style=\"display:inline-block;padding:12px 20px;border-radius:10px;background:#0b6f6b;color:#ffffff;text-decoration:none\">");
                html.Append(WebUtility.HtmlEncode(words)).Append(link is null ? "</p>\n" : "</a></p>\n");
            }

            return $"""
                <!doctype html>
                <html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>{WebUtility.HtmlEncode(Subject)}</title></head>
                <body style="margin:0;padding:32px 16px;font:16px/1.55 system-ui,sans-serif">
                <div style="max-width:34em;margin:0 auto"><p style="font-weight:600">Tollgate</p>
                {html}</div></body></html>

                """;
        }
    }

    public static Letter To(string recipient, string subject) => new(recipient, subject, []);

    public Letter Say(string paragraph)
    {
        _parts.Add(new Part(paragraph, null));
        return this;
    }

    public Letter Offer(string action, string link)
    {
        _parts.Add(new Part(action, link));
        return this;
    }

    public string Write() => JsonSerializer.Serialize(new Written(Recipient, Subject, _parts));

    public static Letter Read(string written) =>
        JsonSerializer.Deserialize<Written>(written) is { } letter ? new Letter(letter.Recipient, letter.Subject, letter.Parts) : throw new JsonException("No letter.");

    private sealed record Part(string Words, string? Link);

    private sealed record Written(string Recipient, string Subject, List<Part> Parts);
}
