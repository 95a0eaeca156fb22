using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Gateway.Metering;
using Tollgate.Gateway.Policy.Metering;

namespace Tollgate.UnitTests.Metering;

public sealed class UsageShipperTests : IDisposable
{
    private readonly JournalFolder _folder = new();
    private readonly FakeIngest _ingest = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Calls_are_shipped_with_the_gateways_token_and_leave_nothing_behind()
    {
        using var journal = _folder.Open(ships: true);
        using var shipper = await ShipAsync(journal);
        Write(journal, 5000);

        Eventually.IsTrue(() => _ingest.Calls == 5000, "all calls are counted");
        Eventually.IsTrue(() => journal.Facts().UnshippedRecords == 0, "all calls are acknowledged");
        _ingest.Authorization.ShouldBe("Bearer tgw_secret");
        _ingest.Target.ShouldBe(new Uri("http://control:8099/usage"));
        await shipper.StopAsync(default);
        _ingest.Batches.Select(batch => batch.Sequence).ShouldBe(Enumerable.Range(1, _ingest.Batches.Count).Select(i => (long)i));
        _ingest.Batches.Zip(_ingest.Batches.Skip(1)).ShouldAllBe(pair => pair.First.Hash == pair.Second.PreviousHash);
        Directory.GetFiles(Path.Combine(_folder.Journal, "outbox")).ShouldBeEmpty();
        _folder.SegmentFiles().Length.ShouldBeLessThanOrEqualTo(2);
    }

    [Fact]
    public async Task A_batch_whose_answer_was_lost_in_a_crash_is_sent_again_with_the_same_bytes_and_counted_once()
    {
        _ingest.Mode = FakeIngest.Answer.CountAndLoseTheAnswer;
        using (var journal = _folder.Open(ships: true))
        {
            Write(journal, 700);
            using var shipper = await ShipAsync(journal);
            Eventually.IsTrue(() => _ingest.Calls == 700, "counted, but nobody here knows");
            Write(journal, 300);
            _ingest.Mode = FakeIngest.Answer.Down;
            await shipper.StopAsync(default);
            journal.Acknowledged.Sequence.ShouldBe(0);
        }

        _ingest.Mode = FakeIngest.Answer.Ok;
        using var next = _folder.Open(ships: true);
        using var again = await ShipAsync(next);
        Eventually.IsTrue(() => next.Facts().UnshippedRecords == 0, "all is acknowledged");
        await again.StopAsync(default);
        _ingest.Calls.ShouldBe(1000);
        _ingest.Posts.ShouldBeGreaterThan(_ingest.Batches.Count);
        _ingest.Mismatches.ShouldBeEmpty();
    }

    [Fact]
    public async Task Usage_waits_while_ingest_is_down_and_arrives_when_it_is_back()
    {
        _ingest.Mode = FakeIngest.Answer.Down;
        using var journal = _folder.Open(ships: true);
        using var shipper = await ShipAsync(journal);
        Write(journal, 3000);
        Eventually.IsTrue(() => shipper.Failures > 0, "a try has failed");
        shipper.LastFailure.ShouldNotBeNull();
        journal.IsAccepting.ShouldBeTrue();
        journal.Facts().UnshippedRecords.ShouldBe(3000);
        journal.Facts().OldestUnshipped.ShouldNotBeNull();

        _ingest.Mode = FakeIngest.Answer.Ok;
        Eventually.IsTrue(() => _ingest.Calls == 3000, "all calls are counted");
        Eventually.IsTrue(() => shipper.Failures == 0, "the trouble is over");
        await shipper.StopAsync(default);
    }

    [Theory]
    [InlineData(FakeIngest.Answer.Unauthorized)]
    [InlineData(FakeIngest.Answer.Unprocessable)]
    [InlineData(FakeIngest.Answer.ServerError)]
    internal async Task A_refused_batch_is_kept_and_never_skipped(FakeIngest.Answer answer)
    {
        _ingest.Mode = answer;
        using (var journal = _folder.Open(ships: true))
        {
            using var shipper = await ShipAsync(journal);
            Write(journal, 10);
            Eventually.IsTrue(() => shipper.Failures > 0, "it was refused");
            shipper.LastFailure.ShouldBe($"The control plane answered {(int)answer} to usage batch 1.");
            await shipper.StopAsync(default);
            journal.Acknowledged.Sequence.ShouldBe(0);
        }

        _ingest.Mode = FakeIngest.Answer.Ok;
        using var next = _folder.Open(ships: true);
        using var again = await ShipAsync(next);
        Eventually.IsTrue(() => _ingest.Calls == 10, "counted after all");
        await again.StopAsync(default);
    }

    [Fact]
    public async Task A_graceful_stop_ships_what_is_left_also_of_calls_that_have_not_ended()
    {
        using var journal = _folder.Open(ships: true);
        using var shipper = await ShipAsync(journal, TimeSpan.FromHours(1));
        var account = journal.AccountOf(JournalFolder.Account());
        for (var i = 0; i < 10; i++) journal.Record(account, 200, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), 1, 1);
        await shipper.StopAsync(default);
        _ingest.Calls.ShouldBe(10);
        journal.Facts().UnshippedRecords.ShouldBe(0);
    }

    [Fact]
    public async Task Shipping_makes_room_in_a_full_journal()
    {
        _ingest.Mode = FakeIngest.Answer.Down;
        using var journal = _folder.Open(segments: 3, ships: true);
        using var shipper = await ShipAsync(journal);
        var account = journal.AccountOf(JournalFolder.Account());
        for (var i = 0; i < 3 * JournalFolder.SegmentRecords; i++) journal.Record(account, 200, JournalFolder.Now, 1, 1).IsRecorded.ShouldBeTrue();
        Eventually.IsTrue(() => !journal.IsAccepting, "the journal is full");
        _ingest.Mode = FakeIngest.Answer.Ok;
        Eventually.IsTrue(() => journal.IsAccepting, "there is room again");
        journal.Record(account, 200, JournalFolder.Now, 1, 1).IsRecorded.ShouldBeTrue();
        await shipper.StopAsync(default);
        _ingest.Calls.ShouldBe(3 * JournalFolder.SegmentRecords + 1);
    }

    private async Task<UsageShipper> ShipAsync(Journal journal, TimeSpan? interval = null)
    {
        var shipper = new UsageShipper(journal, new Uri("http://control:8099"), "tgw_secret", new HttpMessageInvoker(_ingest, disposeHandler: false), TimeProvider.System,
            NullLogger<UsageShipper>.Instance, interval ?? TimeSpan.FromMilliseconds(20));
        await shipper.StartAsync(default);
        return shipper;
    }

    private static void Write(Journal journal, int calls)
    {
        var account = journal.AccountOf(JournalFolder.Account());
        for (var i = 0; i < calls; i++)
            journal.Complete(journal.Record(account, 200, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), 1, (UInt128)(ulong)i), 10, 10);
    }
}
