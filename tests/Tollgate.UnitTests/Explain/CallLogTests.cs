using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Gateway.Explain;
using Tollgate.Testing;
using Tollgate.UnitTests.Metering;

namespace Tollgate.UnitTests.Explain;

public sealed class CallLogTests : IDisposable
{
    private const long Bytes = 8 * 1024 * CallEntry.SizeBytes;    // the smallest: 1024 calls in each of eight files

    private readonly TempFolder _folder = new();
    private readonly HandClock _clock = new(1_800_000_000_000);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_entry_has_the_size_that_the_files_count_with() => System.Runtime.CompilerServices.Unsafe.SizeOf<CallEntry>().ShouldBe(CallEntry.SizeBytes);

    [Fact]
    public async Task Calls_are_found_again_with_their_names_also_by_the_next_process()
    {
        using (var log = Open())
        {
            await FillAsync(log, 1, 3000);
            Found(log, 1).ShouldBeTrue();
        }

        using var next = Open();
        for (var call = 1; call <= 3000; call++) Found(next, call).ShouldBeTrue();
        await FillAsync(next, 3001, 3100);
        next.Count.ShouldBe(3100, "the file that was begun is written on");
        Found(next, 3100).ShouldBeTrue();
        Found(next, 4000).ShouldBeFalse();
    }

    [Fact]
    public async Task The_log_takes_no_more_room_than_it_was_given_and_forgets_the_oldest()
    {
        using var log = Open();
        await FillAsync(log, 1, 20_000);
        Directory.GetFiles(_folder.Path, "*.calls").Sum(file => new FileInfo(file).Length).ShouldBeLessThanOrEqualTo(Bytes + 2 * Bytes / 8);
        Found(log, 1).ShouldBeFalse();
        Found(log, 20_000).ShouldBeTrue();
        log.Count.ShouldBeInRange(7 * 1024 - 1024, 8 * 1024);
    }

    [Fact]
    public async Task Calls_are_forgotten_when_they_are_too_old()
    {
        using var log = Open();
        await FillAsync(log, 1, 2500);
        _clock.Advance(TimeSpan.FromDays(31));
        log.Tidy();
        Found(log, 1).ShouldBeFalse();
        Found(log, 2500).ShouldBeTrue("the file that is written is kept");
    }

    [Fact]
    public async Task Without_a_folder_the_last_calls_are_remembered()
    {
        using var log = new CallLog(null, Bytes, TimeSpan.FromDays(30), _clock, NullLogger<CallLog>.Instance);
        await FillAsync(log, 1, 40_000);
        Found(log, 40_000).ShouldBeTrue();
        Found(log, 1).ShouldBeFalse();
        log.Count.ShouldBeLessThanOrEqualTo(16_384);
    }

    [Fact]
    public async Task Many_write_at_once_and_nothing_is_lost_or_mixed_up()
    {
        using var log = new CallLog(_folder.Path, 64 * Bytes, TimeSpan.FromDays(30), _clock, NullLogger<CallLog>.Instance);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(() =>
        {
            for (var i = 1; i <= 4000; i++) Add(log, writer * 10_000 + i);
        })));
        log.Dropped.ShouldBe(0);
        for (var writer = 0; writer < 8; writer++)
            for (var i = 1; i <= 4000; i++)
                Found(log, writer * 10_000 + i).ShouldBeTrue();
    }

    [Fact]
    public void A_file_that_was_cut_off_or_is_none_stops_nobody()
    {
        using (var log = Open()) Add(log, 1);
        File.WriteAllText(_folder.File("0000000001.names"), "{ cut off");
        File.WriteAllText(_folder.File("no-number.calls"), "what is this");
        using var next = Open();
        Add(next, 2);
        next.Find(1).ShouldNotBeNull().Names.ShouldBeNull();
        Found(next, 2).ShouldBeTrue();
    }

    private CallLog Open() => new(_folder.Path, Bytes, TimeSpan.FromDays(30), _clock, NullLogger<CallLog>.Instance);

    // As fast as the log makes room: the next file is made beside the writer.
    private async Task FillAsync(CallLog log, int from, int to)
    {
        for (var call = from; call <= to; call++)
        {
            var dropped = log.Dropped;
            Add(log, call);
            for (; log.Dropped > dropped; dropped = log.Dropped - (Found(log, call) ? 0 : 1))
            {
                if (Found(log, call)) break;
                await Task.Delay(1);
                Add(log, call);
            }
        }
    }

    private void Add(CallLog log, int call) => log.Add(
        new CallEntry { Request = (UInt128)call, Status = 200, ArrivedUnixMs = _clock.GetUtcNow().ToUnixTimeMilliseconds() },
        new CallParty(null, null, null, null, $"outcome {call % 7}", "GET", null));

    private static bool Found(CallLog log, int call) => log.Find((UInt128)call) is var (entry, names) && entry.Status == 200 && names?.Outcome == $"outcome {call % 7}";
}
