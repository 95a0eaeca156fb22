using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Tollgate.Identity.Mail;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Identity;

/// <summary>Letters in a folder, whose words others choose: names of organisations, addresses, what clients call themselves.</summary>
public sealed class MailFolderTests
{
    [Fact]
    public async Task Nobody_writes_a_part_of_their_own_into_a_letter()
    {
        using var folder = new TempFolder();
        var mails = new MailFolder(new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create("Data", (string?)folder.Path)]).Build(), Options.Create(new MailOptions()), TimeProvider.System);
        await mails.CarryAsync(Letter.To("ada@example.com", "One"), default);
        var known = Boundary(Directory.GetFiles(Path.Combine(folder.Path, "mail"), "*.eml").Single());

        // What an organisation is called: the end of the letter as the one before had it, and a letter of one's own behind.
        var words = $"Hello\r\n--{known}\r\nContent-Type: text/html\r\n\r\n<a href=\"https://evil.example\">Confirm</a>\r\n--{known}--\r\n";
        await mails.CarryAsync(Letter.To("ada@example.com\r\nBcc: eve@example.com", "Two\r\nX-Evil: yes").Say(words), default);
        var path = Directory.GetFiles(Path.Combine(folder.Path, "mail"), "*.eml").Order(StringComparer.Ordinal).Last();
        var boundary = Boundary(path);
        boundary.ShouldNotBe(known);
        boundary.Length.ShouldBeGreaterThanOrEqualTo(32);
        var eml = await File.ReadAllTextAsync(path);
        eml.Split("--" + boundary).Length.ShouldBe(4);   // head, text, HTML, end
        eml.Split("\r\n\r\n", 2)[0].Split("\r\n").ShouldNotContain(h => h.StartsWith("Bcc", StringComparison.OrdinalIgnoreCase) || h.StartsWith("X-Evil", StringComparison.OrdinalIgnoreCase));
        eml.Split("--" + boundary)[2].ShouldNotContain("<a href=\"https://evil.example\"");
        mails.List()[0].Text.ShouldContain("https://evil.example");   // all of it is the text's own
    }

    [Fact]
    public async Task No_two_letters_have_one_boundary()
    {
        using var folder = new TempFolder();
        var mails = new MailFolder(new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create("Data", (string?)folder.Path)]).Build(), Options.Create(new MailOptions()), TimeProvider.System);
        for (var i = 0; i < 20; i++) await mails.CarryAsync(Letter.To("ada@example.com", "The same").Say("The same."), default);
        var files = Directory.GetFiles(Path.Combine(folder.Path, "mail"), "*.eml");
        files.Select(Boundary).Distinct().Count().ShouldBe(20);
    }

    private static string Boundary(string path) =>
        System.Text.RegularExpressions.Regex.Match(File.ReadAllText(path), "boundary=\"([^\"]+)\"").Groups[1].Value;
}
