using System.Globalization;
using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Tollgate.ServiceDefaults;

namespace Tollgate.Identity.Mail;

/// <summary>Lays letters into a folder as <c>.eml</c> files where there is no SMTP server, and reads them back for the Development page.</summary>
internal sealed class MailFolder(IConfiguration configuration, IOptions<MailOptions> options, TimeProvider time) : IMailCarrier
{
    private const string BoundaryMark = "; boundary=\"";
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);
    private readonly string _folder = Path.Combine(DataFolder.Of(configuration), "mail");

    public async Task CarryAsync(Letter letter, CancellationToken cancel)
    {
        Directory.CreateDirectory(_folder);
        var now = time.GetUtcNow();
        // Version 7 ids sort by time, so the names do.
        var path = Path.Combine(_folder, Guid.CreateVersion7(now).ToString("N") + ".eml");
        var boundary = "tollgate-" + Guid.NewGuid().ToString("N");   // nobody who has a say in the text knows it
        var eml = $"""
            From: {options.Value.From}
            To: {OneLine.Of(letter.Recipient)}
            Subject: {OneLine.Of(letter.Subject)}
            Date: {now.ToString("r", CultureInfo.InvariantCulture)}
            MIME-Version: 1.0
            Content-Type: multipart/alternative{BoundaryMark}{boundary}"

            --{boundary}
            Content-Type: text/plain; charset=utf-8
            Content-Transfer-Encoding: 8bit

            {letter.Text}
            --{boundary}
            Content-Type: text/html; charset=utf-8
            Content-Transfer-Encoding: 8bit

            {letter.Html}
            --{boundary}--

            """;
        await File.WriteAllTextAsync(path + ".part", eml.ReplaceLineEndings("\r\n"), Utf8, cancel);
        File.Move(path + ".part", path);   // whole or not at all
    }

    /// <summary>The newest letters, newest first.</summary>
    public IReadOnlyList<StoredLetter> List(int most = 100) => Directory.Exists(_folder)
        ? [.. Directory.EnumerateFiles(_folder, "*.eml").OrderByDescending(f => f, StringComparer.Ordinal).Take(most).Select(Read)]
        : [];

    /// <summary>Null: there is no letter of this name.</summary>
    public StoredLetter? Find(string name)
    {
        if (!Guid.TryParseExact(name, "N", out _)) return null;
        var path = Path.Combine(_folder, name + ".eml");
        return File.Exists(path) ? Read(path) : null;
    }

    private static StoredLetter Read(string path)
    {
        var eml = File.ReadAllText(path).ReplaceLineEndings("\n");
        var headers = eml.Split("\n\n", 2)[0].Split('\n');
        var parts = Header("Content-Type").Split(BoundaryMark) is [_, var boundary] ? eml.Split("\n--" + boundary.TrimEnd('"')) : [];
        return new StoredLetter(Path.GetFileNameWithoutExtension(path), Header("To"), Header("Subject"), Header("Date"),
            parts.Length > 1 ? parts[1][(parts[1].IndexOf("\n\n", StringComparison.Ordinal) + 2)..].Trim() : "");

        string Header(string name) => headers.FirstOrDefault(h => h.StartsWith(name + ": ", StringComparison.Ordinal))?[(name.Length + 2)..] ?? "";
    }
}

/// <summary>A letter as it lies in the folder.</summary>
public sealed record StoredLetter(string Name, string Recipient, string Subject, string Date, string Text);
