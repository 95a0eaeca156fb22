using System.Text;
using System.Text.Json.Nodes;
using Tollgate.Gateway.Metering;
using Tollgate.Gateway.Policy.Metering;

namespace Tollgate.UnitTests.Metering;

public sealed class JournalCommandTests : IDisposable
{
    private readonly JournalFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_call_is_a_line_beside_the_process_that_writes_them()
    {
        using var journal = _folder.Open();
        var account = JournalFolder.Account() with { ApplicationName = "Wetter \"süd\"" };
        var slot = journal.Record(journal.AccountOf(account), 200, JournalFolder.Now + 7, 2, new UInt128(0, 255));
        journal.Complete(slot, 300, 400);
        journal.Record(journal.AccountOf(account), 429, JournalFolder.Now, 0, 1);

        var lines = Lines(_folder.Data);
        lines.Count.ShouldBe(2);
        var first = lines[0];
        ((string?)first["application"], (string?)first["applicationId"], (string?)first["subscription"], (string?)first["credential"])
            .ShouldBe((account.ApplicationName, account.Application.ToString(), account.Subscription.ToString(), "key-app"));
        ((string?)first["product"], (string?)first["route"], (string?)first["meter"], (int)first["status"]!, (long)first["units"]!)
            .ShouldBe(("weather", "forecast", "requests", 200, 2L));
        ((string?)first["arrived"], (string?)first["requestId"], (long)first["bytesOut"]!, (long)first["durationUs"]!)
            .ShouldBe(("2026-05-04T10:30:00.007Z", "00000000-0000-0000-0000-0000000000ff", 300L, 400L));
        lines[1]["bytesOut"].ShouldBeNull();
        Lines(_folder.Journal).Count.ShouldBe(2);
    }

    [Fact]
    public void The_sum_has_a_line_an_application_product_and_status()
    {
        using (var journal = _folder.Open())
        {
            foreach (var (application, route, status, times) in new[] { ("b", "x", 200, 3), ("a", "x", 200, 1500), ("a", "y", 200, 500), ("a", "x", 503, 4) })
                for (var i = 0; i < times; i++)
                    journal.Record(journal.AccountOf(JournalFolder.Account(application, route: route)), status, JournalFolder.Now, 2, 0);
        }

        Lines(_folder.Data, "--sum").Select(line => $"{line["application"]} {line["product"]} {line["status"]} {line["calls"]} {line["units"]}")
            .ShouldBe(["a weather 200 2000 4000", "a weather 503 4 8", "b weather 200 3 6"]);
    }

    [Fact]
    public void What_is_not_there_is_said_plainly()
    {
        Run(["/nowhere/at/all"]).ShouldBe((2, "", "There is no folder '/nowhere/at/all'."));
        Run([_folder.Data]).Errors.ShouldContain("holds no journal");
        Run([]).Errors.ShouldContain("Usage:");
        Run([_folder.Data, "--bogus"]).Code.ShouldBe(2);
        _folder.Open().Dispose();
        Run([_folder.Data, "--sum"]).ShouldBe((0, "", ""));
    }

    [Fact]
    public void Looking_changes_nothing()
    {
        using (var journal = _folder.Open()) journal.Record(journal.AccountOf(JournalFolder.Account()), 200, JournalFolder.Now, 1, 1);
        var before = Snapshot();
        Run([_folder.Data]);
        Snapshot().ShouldBe(before);

        Dictionary<string, string> Snapshot() =>
            Directory.GetFiles(_folder.Data, "*", SearchOption.AllDirectories).Order().ToDictionary(path => path, path => Convert.ToHexString(File.ReadAllBytes(path)));
    }

    private static List<JsonNode> Lines(params string[] args)
    {
        var (code, output, errors) = Run(args);
        (code, errors).ShouldBe((0, ""));
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
    }

    private static (int Code, string Output, string Errors) Run(string[] args)
    {
        using var output = new MemoryStream();
        var errors = new StringWriter();
        var code = JournalCommand.Run(args, output, errors);
        return (code, Encoding.UTF8.GetString(output.ToArray()), errors.ToString().Trim());
    }
}
