using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Contracts;
using Tollgate.Contracts.Usage;
using Tollgate.Gateway.Metering;
using Tollgate.Gateway.Policy.Metering;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Metering;

public sealed class JournalKillTests : IDisposable
{
    private const int Threads = 4;
    private const int Reported = 50;       // the writer says every fiftieth
    private readonly TempFolder _data = new();
    private readonly ConcurrentDictionary<(ulong Life, ulong Thread), ulong> _said = [];

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task A_killed_writer_leaves_every_record_that_it_spoke_of_once_and_in_order()
    {
        for (var life = 1UL; life <= 4; life++) await LiveAndDieAsync(life, enough: 60 * (int)life);

        using var journal = Journal.Open(new JournalOptions { DataFolder = _data.Path });
        var byWriter = JournalReader.Records(journal.Folder).Where(record => record.IsWhole)
            .GroupBy(record => (Life: record.RequestIdHigh >> 32, Thread: record.RequestIdHigh & uint.MaxValue))
            .ToDictionary(group => group.Key, group => group.Select(record => record.RequestIdLow).Order().ToArray());
        byWriter.Count.ShouldBe(4 * Threads);
        foreach (var (writer, numbers) in byWriter)
        {
            ((ulong)numbers.Length).ShouldBeGreaterThanOrEqualTo(_said.GetValueOrDefault(writer));
            numbers.ShouldBe(Enumerable.Range(0, numbers.Length).Select(number => (ulong)number), "no gap and nothing twice");
        }

        var subscription = new SubscriptionId(new Guid(1, 0, 0, new byte[8]));
        journal.UnitsOf(subscription, 0, long.MaxValue).ShouldBe(byWriter.Values.Sum(numbers => (long)numbers.Length));
    }

    [Fact]
    public async Task A_shipping_writer_killed_again_and_again_is_counted_exactly_once()
    {
        var ingest = new Ingest();
        await using var app = await ingest.StartAsync();
        for (var life = 1UL; life <= 5; life++) await LiveAndDieAsync(life, enough: 100, app.Urls.Single());

        using (var journal = Journal.Open(new JournalOptions { DataFolder = _data.Path, Ships = true }))
        {
            using var shipper = new UsageShipper(journal, new Uri(app.Urls.Single()), "tgw_test", UsageShipper.CreateClient(), TimeProvider.System, NullLogger<UsageShipper>.Instance);
            await shipper.StartAsync(default);
            await Deadline.UntilAsync("everything is acknowledged", () => Task.FromResult(journal.Facts().UnshippedRecords == 0));
            await shipper.StopAsync(default);
        }

        ingest.Faults.ShouldBeEmpty();
        var said = _said.Values.Sum(written => (long)written);
        ingest.Calls.ShouldBeInRange(said, said + 5 * Threads * Reported);
        Directory.GetFiles(JournalOptions.FolderOf(_data.Path), "*.seg").Sum(file => new FileInfo(file).Length).ShouldBeLessThan(40 << 20);
    }

    [Fact]
    public async Task The_journal_can_be_read_beside_its_writer_and_after_its_death()
    {
        await using (var writer = StartWriter(1))
        {
            await writer.WaitForLineAsync(line => line.StartsWith("wrote 1 0 ", StringComparison.Ordinal));
            (await SumAsync()).ShouldBeGreaterThanOrEqualTo(50);
            await writer.KillAsync();
        }

        var onDisk = JournalReader.Records(JournalOptions.FolderOf(_data.Path)).Count(record => record.IsWhole);
        (await SumAsync()).ShouldBe(onDisk);

        async Task<long> SumAsync()
        {
            await using var command = ChildProcess.StartDotnet(Programs.Gateway, ["journal", _data.Path, "--sum"]);
            (await command.WaitForExitAsync()).ShouldBe(0, command.Output);
            var line = JsonNode.Parse(await command.WaitForLineAsync(line => line.StartsWith('{')))!;
            ((string?)line["application"], (string?)line["product"], (int)line["status"]!).ShouldBe(("app", "weather", 200));
            ((long)line["units"]!).ShouldBe((long)line["calls"]!);
            return (long)line["calls"]!;
        }
    }

    private ChildProcess StartWriter(ulong life, string? controlPlane = null) => ChildProcess.StartDotnet(
        Path.Combine(AppContext.BaseDirectory, "Tollgate.JournalWriter.dll"),
        [_data.Path, life.ToString(), Threads.ToString(), .. controlPlane is null ? Array.Empty<string>() : [controlPlane]]);

    private async Task LiveAndDieAsync(ulong life, int enough, string? controlPlane = null)
    {
        await using var writer = StartWriter(life, controlPlane);
        await writer.WaitForLineAsync(line => line == "ready");
        await Deadline.UntilAsync("it has written enough, on all of its threads", () =>
        {
            var said = writer.Output.Split('\n').Where(line => line.StartsWith("wrote ", StringComparison.Ordinal)).ToArray();
            return Task.FromResult(said.Length >= enough && said.Select(line => line.Split(' ')[2]).Distinct().Count() == Threads);
        });
        await writer.KillAsync();
        foreach (var words in writer.Output.Split('\n').Select(line => line.Split(' ')).Where(words => words is ["wrote", _, _, _] && ulong.TryParse(words[3], out _)))
            _said.AddOrUpdate((ulong.Parse(words[1]), ulong.Parse(words[2])), _ => ulong.Parse(words[3]), (_, before) => Math.Max(before, ulong.Parse(words[3])));
    }

    /// <summary>Counts a batch once, watches the chain, and now and then fails after it has counted.</summary>
    private sealed class Ingest
    {
        private readonly Dictionary<long, UsageBatch> _batches = [];
        private readonly Lock _gate = new();
        private int _posts;

        public List<string> Faults { get; } = [];

        public long Calls
        {
            get { lock (_gate) return _batches.Values.Sum(batch => batch.Rows.Sum(row => row.Calls)); }
        }

        public async Task<WebApplication> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            var app = builder.Build();
            app.MapPost(InternalPaths.Usage, async (HttpRequest request) =>
            {
                var batch = (await JsonSerializer.DeserializeAsync(request.Body, ContractJson.Default.UsageBatch))!;
                return Count(batch) ? Results.Ok(new { duplicate = false }) : Results.StatusCode(503);
            });
            await app.StartAsync();
            return app;
        }

        private bool Count(UsageBatch batch)
        {
            lock (_gate)
            {
                if (_batches.TryGetValue(batch.Sequence, out var before))
                {
                    if (before.Hash != batch.Hash || before.Rows.Sum(row => row.Calls) != batch.Rows.Sum(row => row.Calls)) Faults.Add($"batch {batch.Sequence} came again and is another");
                }
                else
                {
                    if (batch.Sequence != _batches.Count + 1) Faults.Add($"batch {batch.Sequence} after {_batches.Count}");
                    else if (batch.Sequence > 1 && _batches[batch.Sequence - 1].Hash != batch.PreviousHash) Faults.Add($"batch {batch.Sequence} breaks the chain");
                    _batches[batch.Sequence] = batch;
                }

                return ++_posts % 7 != 0;
            }
        }
    }
}
