using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Tollgate.Gateway.Metering;
using Tollgate.Gateway.Policy.Metering;

namespace Tollgate.UnitTests.Metering;

public sealed class UsageSealerTests : IDisposable
{
    private readonly JournalFolder _folder = new();
    private readonly HandClock _clock = new(JournalFolder.Now);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Calls_alike_in_every_column_make_one_row()
    {
        using var journal = _folder.Open(ships: true);
        var a = journal.AccountOf(JournalFolder.Account());
        var renamed = journal.AccountOf(JournalFolder.Account() with { ApplicationName = "renamed" });
        var other = journal.AccountOf(JournalFolder.Account(route: "history"));
        foreach (var (account, status, at, units) in new[]
        {
            (a, 200, 0L, 1L), (a, 200, 59_999L, 2L), (renamed, 200, 5L, 4L), (a, 200, 60_000L, 8L), (a, 404, 0L, 16L), (other, 200, 0L, 32L),
        })
            journal.Complete(journal.Record(account, status, JournalFolder.Now + at, units, 1), 100, 10);

        var stretch = new UsageSealer(journal, _clock).Seal().ShouldNotBeNull();
        stretch.Records.ShouldBe(6);
        stretch.Batch.Rows.Select(row => (row.Route, row.Status, Minute: (row.MinuteUnixMs - JournalFolder.Now) / 60_000, row.Calls, row.Units, row.BytesOut, row.DurationUs))
            .Order().ShouldBe([("forecast", 200, 0, 3, 7, 300, 30), ("forecast", 200, 1, 1, 8, 100, 10), ("forecast", 404, 0, 1, 16, 100, 10), ("history", 200, 0, 1, 32, 100, 10)]);
    }

    [Fact]
    public void Every_batch_carries_the_hash_of_the_one_before_and_of_its_records()
    {
        using var journal = _folder.Open(ships: true);
        var account = journal.AccountOf(JournalFolder.Account());
        for (var i = 0; i < 2500; i++) journal.Complete(journal.Record(account, 200, JournalFolder.Now + i, 1, (UInt128)(ulong)i), i, i);
        var onDisk = _folder.OnDisk();
        var sealer = new UsageSealer(journal, _clock, maxRecords: 999);
        var (previous, taken, sequence) = (new string('0', 64), 0, 0L);
        while (sealer.Seal() is { } stretch)
        {
            stretch.Batch.Sequence.ShouldBe(++sequence);
            stretch.Batch.PreviousHash.ShouldBe(previous);
            using var hash = SHA256.Create();
            byte[] covered = [.. Convert.FromHexString(previous), .. onDisk.Skip(taken).Take(stretch.Records)
                .SelectMany(record => MemoryMarshal.AsBytes(new ReadOnlySpan<JournalRecord>(ref record))[..48].ToArray())];
            stretch.Batch.Hash.ShouldBe(Convert.ToHexStringLower(SHA256.HashData(covered)));
            (previous, taken) = (stretch.Batch.Hash, taken + stretch.Records);
            journal.Acknowledge(stretch.Next);
        }

        (taken, sequence).ShouldBe((2500, 3));
    }

    [Fact]
    public void A_stretch_waits_two_seconds_for_a_call_that_is_still_answered_and_no_longer()
    {
        using var journal = _folder.Open(ships: true);
        var account = journal.AccountOf(JournalFolder.Account());
        journal.Complete(journal.Record(account, 200, JournalFolder.Now, 1, 1), 1, 1);
        journal.Record(account, 200, JournalFolder.Now, 1, 2);
        journal.Complete(journal.Record(account, 200, JournalFolder.Now, 1, 3), 1, 1);
        var sealer = new UsageSealer(journal, _clock);

        sealer.Seal().ShouldNotBeNull().Records.ShouldBe(1);
        sealer.Seal(waitForEnds: false).ShouldNotBeNull().Records.ShouldBe(3);
        _clock.Advance(TimeSpan.FromSeconds(2));
        sealer.Seal().ShouldNotBeNull().Records.ShouldBe(3);
    }

    [Fact]
    public void A_clock_set_back_does_not_stop_the_shipping()
    {
        using var journal = _folder.Open(ships: true);
        journal.Record(journal.AccountOf(JournalFolder.Account()), 200, JournalFolder.Now + 3_600_000, 1, 1);
        var sealer = new UsageSealer(journal, _clock);
        sealer.Seal().ShouldBeNull();
        _clock.Advance(TimeSpan.FromSeconds(2));
        sealer.Seal().ShouldNotBeNull().Records.ShouldBe(1);
    }

    [Fact]
    public void Batches_are_bounded_in_rows_and_records()
    {
        using var journal = _folder.Open(ships: true);
        var accounts = Enumerable.Range(0, 30).Select(i => journal.AccountOf(JournalFolder.Account(route: "route" + i))).ToArray();
        for (var i = 0; i < 300; i++) journal.Complete(journal.Record(accounts[i % 30], 200, JournalFolder.Now, 1, 1), 1, 1);

        new UsageSealer(journal, _clock, maxRows: 10).Seal()!.Batch.Rows.Count.ShouldBe(10);
        new UsageSealer(journal, _clock, maxRecords: 50).Seal()!.Records.ShouldBe(50);
        new UsageSealer(journal, _clock).Seal()!.Batch.Rows.Sum(row => row.Calls).ShouldBe(300);
    }

    [Fact]
    public void Records_whose_dictionary_entry_was_lost_do_not_stop_the_others()
    {
        using (var journal = _folder.Open(ships: true))
        {
            foreach (var application in new[] { "kept", "lost", "kept" })
                journal.Record(journal.AccountOf(JournalFolder.Account(application)), 200, JournalFolder.Now, 1, 1);
        }

        var dictionary = Path.Combine(_folder.Journal, JournalAccounts.FileName);
        var first = JournalAccounts.Entries(dictionary).First().End;
        using (var file = File.OpenWrite(dictionary)) file.SetLength(first);

        using var next = _folder.Open(ships: true);
        var sealer = new UsageSealer(next, _clock);
        sealer.Seal()!.Batch.Rows.ShouldHaveSingleItem().Calls.ShouldBe(2);
        sealer.Nameless.ShouldBe(1);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_the_cuts_and_restarts_the_batches_add_up_to_the_calls(int seed)
    {
        var random = new Random(seed);
        var (written, counted, sequence) = (0L, 0L, 0L);
        for (var life = 0; life < 8; life++)
        {
            using var journal = _folder.Open(ships: true);
            var account = journal.AccountOf(JournalFolder.Account("app" + random.Next(3)));
            for (var round = 0; round < 5; round++)
            {
                for (var i = random.Next(900); i > 0; i--, written += 3)
                {
                    var slot = journal.Record(account, 200, JournalFolder.Now + random.Next(600_000), 3, (UInt128)(ulong)written);
                    if (random.Next(4) > 0) journal.Complete(slot, 1, 1);
                }

                var sealer = new UsageSealer(journal, _clock, maxRecords: 1 + random.Next(1500));
                for (var i = random.Next(4); i > 0 && sealer.Seal(waitForEnds: random.Next(2) == 0) is { } stretch; i--)
                {
                    stretch.Batch.Sequence.ShouldBe(++sequence);
                    counted += stretch.Batch.Rows.Sum(row => row.Units);
                    journal.Acknowledge(stretch.Next);
                }

                var unacknowledged = Enumerable.Range(0, 3).Sum(i => journal.UnitsOf(JournalFolder.Account("app" + i).Subscription, 0, long.MaxValue));
                (counted + unacknowledged).ShouldBe(written);
            }
        }

        using var last = _folder.Open(ships: true);
        while (new UsageSealer(last, _clock).Seal() is { } stretch)
        {
            counted += stretch.Batch.Rows.Sum(row => row.Units);
            last.Acknowledge(stretch.Next);
        }

        counted.ShouldBe(written);
        _folder.OnDisk().ShouldBeEmpty();
    }
}
