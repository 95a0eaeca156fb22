using System.Runtime.InteropServices;
using Tollgate.Contracts;
using Tollgate.Gateway.Policy.Metering;

namespace Tollgate.UnitTests.Metering;

public sealed class JournalTests : IDisposable
{
    private readonly JournalFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_record_lies_on_disk_with_everything_that_was_said_of_it()
    {
        using var journal = _folder.Open();
        var account = journal.AccountOf(JournalFolder.Account());
        var slot = journal.Record(account, 429, JournalFolder.Now, 3, new UInt128(7, 9));
        journal.Complete(slot, 1234, 5678);

        slot.IsRecorded.ShouldBeTrue();
        var record = _folder.OnDisk().ShouldHaveSingleItem();
        (record.Account, record.Status, record.ArrivedUnixMs, record.Units).ShouldBe((account, (ushort)429, JournalFolder.Now, 3L));
        (record.RequestId, record.HasEnded, record.BytesOut, record.DurationUs).ShouldBe((new UInt128(7, 9), true, 1234L, 5678L));
    }

    [Fact]
    public void A_record_takes_64_bytes() => Marshal.SizeOf<JournalRecord>().ShouldBe(64);

    [Fact]
    public void Many_writers_at_once_lose_nothing_and_double_nothing()
    {
        const int writers = 8, each = 100_000;
        using (var journal = Journal.Open(new JournalOptions { DataFolder = _folder.Data, SegmentRecords = 65_536 }))
        {
            var account = journal.AccountOf(JournalFolder.Account());
            Parallel.For(0, writers, new ParallelOptions { MaxDegreeOfParallelism = writers }, writer =>
            {
                for (var i = 0; i < each; i++)
                {
                    var slot = journal.Record(account, 200, JournalFolder.Now, 1, new UInt128((ulong)writer, (ulong)i));
                    slot.IsRecorded.ShouldBeTrue();
                    journal.Complete(slot, i, writer);
                }
            });
        }

        var records = _folder.OnDisk();
        records.Count.ShouldBe(writers * each);
        records.Select(record => record.RequestId).ToHashSet().Count.ShouldBe(writers * each);
        records.ShouldAllBe(record => record.HasEnded && record.BytesOut == (long)record.RequestIdLow);
    }

    [Fact]
    public void What_was_written_is_there_after_the_process_has_gone_without_a_word()
    {
        var gone = _folder.Open();
        var account = gone.AccountOf(JournalFolder.Account());
        for (var i = 0; i < 2500; i++) gone.Record(account, 200, JournalFolder.Now, 1, (UInt128)(ulong)i);
        gone.Dispose();

        using var next = _folder.Open();
        next.AccountOf(JournalFolder.Account()).ShouldBe(account);
        next.AccountOf(JournalFolder.Account("other")).ShouldBe(account + 1);
        next.Record(account, 200, JournalFolder.Now, 1, 2500);
        _folder.OnDisk().Select(record => (int)(ulong)record.RequestId).ShouldBe(Enumerable.Range(0, 2501));
    }

    [Fact]
    public void A_torn_record_is_skipped_and_those_around_it_stay()
    {
        int account;
        using (var journal = _folder.Open())
        {
            account = journal.AccountOf(JournalFolder.Account());
            for (var i = 0; i < 3; i++) journal.Record(account, 200, JournalFolder.Now, 1, (UInt128)(ulong)i);
        }

        using (var file = File.OpenWrite(_folder.SegmentFiles()[0]))
        {
            file.Position = JournalSegment.HeaderBytes + 1 * JournalRecord.SizeBytes + 16;
            file.WriteByte(99);                                                                 // units that were not what was checked
            file.Position = JournalSegment.HeaderBytes + 3 * JournalRecord.SizeBytes;
            file.Write(BitConverter.GetBytes(account));                                         // a commit mark without its record
        }

        using var next = _folder.Open();
        next.UnitsOf(JournalFolder.Account().Subscription, 0, long.MaxValue).ShouldBe(2);
        _folder.OnDisk().Select(record => (int)(ulong)record.RequestId).ShouldBe([0, 2]);
    }

    [Fact]
    public void A_dictionary_entry_cut_off_by_a_crash_is_written_anew()
    {
        using (var journal = _folder.Open()) journal.AccountOf(JournalFolder.Account()).ShouldBe(1);
        using (var file = File.OpenWrite(Path.Combine(_folder.Journal, JournalAccounts.FileName)))
        {
            file.Position = file.Length;
            file.Write([200, 0, 0, 0, 1, 2, 3]);
        }

        using var next = _folder.Open();
        next.AccountOf(JournalFolder.Account("second")).ShouldBe(2);
        JournalAccounts.Entries(Path.Combine(_folder.Journal, JournalAccounts.FileName)).Select(entry => entry.Account.ApplicationName)
            .ShouldBe(["app", "second"]);
    }

    [Fact]
    public void A_second_process_is_told_that_the_journal_is_in_use()
    {
        using var journal = _folder.Open();
        Should.Throw<JournalException>(() => _folder.Open()).Message.ShouldContain("in use by another process");
    }

    [Fact]
    public void A_full_journal_stops_accepting_while_there_is_still_room_for_calls_under_way()
    {
        using var journal = _folder.Open(segments: 3);
        var account = journal.AccountOf(JournalFolder.Account());
        var budget = 3 * JournalFolder.SegmentRecords;
        var written = 0;
        for (; written < budget - JournalFolder.SegmentRecords / 4; written++)
        {
            Eventually.IsTrue(() => journal.IsAccepting, "the next segment is prepared");
            journal.Record(account, 200, JournalFolder.Now, 1, (UInt128)(ulong)written).IsRecorded.ShouldBeTrue();
        }

        Eventually.IsTrue(() => !journal.IsAccepting, "the budget is used up");
        for (; written < budget; written++) journal.Record(account, 200, JournalFolder.Now, 1, (UInt128)(ulong)written).IsRecorded.ShouldBeTrue();

        journal.Record(account, 200, JournalFolder.Now, 1, 0).IsRecorded.ShouldBeFalse();
        journal.Facts().UnrecordedCalls.ShouldBe(1);
        _folder.OnDisk().Count.ShouldBe(budget);
    }

    [Fact]
    public void A_full_disk_is_seen_before_the_current_segment_is_exhausted_and_again_when_there_is_room()
    {
        var free = long.MaxValue;
        using var journal = _folder.Open(free: _ => Interlocked.Read(ref free));
        Eventually.IsTrue(() => _folder.SegmentFiles().Length == 2, "a segment ahead");
        Interlocked.Exchange(ref free, 1000);
        var account = journal.AccountOf(JournalFolder.Account());
        for (var i = 0; i < 2 * JournalFolder.SegmentRecords - 10; i++) journal.Record(account, 200, JournalFolder.Now, 1, (UInt128)(ulong)i).IsRecorded.ShouldBeTrue();

        Eventually.IsTrue(() => !journal.IsAccepting, "the disk is full");
        Eventually.IsTrue(() => journal.Facts().Obstacle is not null, "the obstacle is named");
        Interlocked.Exchange(ref free, long.MaxValue);
        Eventually.IsTrue(() => journal.IsAccepting, "accepting again");
    }

    [Fact]
    public void A_disk_that_is_full_at_the_start_refuses_and_recovers()
    {
        var free = 0L;
        using var journal = _folder.Open(free: _ => Interlocked.Read(ref free));
        journal.IsAccepting.ShouldBeFalse();
        journal.Record(journal.AccountOf(JournalFolder.Account()), 200, JournalFolder.Now, 1, 1).IsRecorded.ShouldBeFalse();
        Interlocked.Exchange(ref free, long.MaxValue);
        Eventually.IsTrue(() => journal.IsAccepting, "accepting again");
        journal.Record(1, 200, JournalFolder.Now, 1, 1).IsRecorded.ShouldBeTrue();
    }

    [Fact]
    public void Segments_are_really_allocated()
    {
        using var journal = _folder.Open();
        var bytes = File.ReadAllBytes(_folder.SegmentFiles()[0]);
        bytes.Length.ShouldBe((int)_folder.Options().SegmentBytes);
    }

    [Fact]
    public void Acknowledged_segments_are_deleted_and_late_ends_are_harmless()
    {
        using var journal = _folder.Open(ships: true);
        var account = journal.AccountOf(JournalFolder.Account());
        var slots = new List<JournalSlot>();
        for (var i = 0; i < 2 * JournalFolder.SegmentRecords + 1; i++) slots.Add(journal.Record(account, 200, JournalFolder.Now, 1, (UInt128)(ulong)i));
        var third = journal.Segments[2].Number;

        journal.Acknowledge(new(1, new string('a', 64), new(third, 0)));

        journal.Segments[0].Number.ShouldBe(third);
        _folder.SegmentFiles()[0].ShouldEndWith($"{third:D10}.seg");
        foreach (var slot in slots) journal.Complete(slot, 1, 1);
        _folder.OnDisk().ShouldHaveSingleItem().HasEnded.ShouldBeTrue();
        journal.UnitsOf(JournalFolder.Account().Subscription, 0, long.MaxValue).ShouldBe(1);
        journal.Facts().UnshippedRecords.ShouldBe(1);
    }

    [Fact]
    public void A_journal_without_a_shipper_keeps_everything()
    {
        using (var journal = _folder.Open())
        {
            var account = journal.AccountOf(JournalFolder.Account());
            for (var i = 0; i < 3000; i++) journal.Complete(journal.Record(account, 200, JournalFolder.Now, 1, (UInt128)(ulong)i), 0, 0);
        }

        using var next = _folder.Open();
        _folder.OnDisk().Count.ShouldBe(3000);
        next.Facts().UnshippedRecords.ShouldBe(0);
    }

    [Fact]
    public void A_node_that_restarts_often_keeps_few_files()
    {
        for (var start = 0; start < 5; start++)
        {
            using var journal = _folder.Open();
            Eventually.IsTrue(() => _folder.SegmentFiles().Length >= 2, "a segment ahead");
        }

        _folder.SegmentFiles().Length.ShouldBeLessThanOrEqualTo(2);
    }

    [Fact]
    public void Units_are_summed_by_subscription_and_to_the_millisecond()
    {
        using var journal = _folder.Open();
        var (ours, theirs) = (JournalFolder.Account("ours"), JournalFolder.Account("theirs"));
        var (a, b, other) = (journal.AccountOf(ours), journal.AccountOf(ours with { Route = "history" }), journal.AccountOf(theirs));
        for (var i = 0; i < 2000; i++)
        {
            journal.Record(i % 2 == 0 ? a : b, 200, JournalFolder.Now + i, 2, 0);
            journal.Record(other, 200, JournalFolder.Now + i, 5, 0);
        }

        journal.UnitsOf(ours.Subscription, JournalFolder.Now, JournalFolder.Now + 2000).ShouldBe(4000);
        journal.UnitsOf(ours.Subscription, JournalFolder.Now + 1, JournalFolder.Now + 1999).ShouldBe(3996);
        journal.UnitsOf(theirs.Subscription, JournalFolder.Now + 10, JournalFolder.Now + 11).ShouldBe(5);
        journal.UnitsOf(SubscriptionId.New(), 0, long.MaxValue).ShouldBe(0);
        journal.Dispose();
        using var next = _folder.Open();
        next.UnitsOf(ours.Subscription, JournalFolder.Now + 1, JournalFolder.Now + 1999).ShouldBe(3996);
    }

    [Fact]
    public void Recording_allocates_nothing()
    {
        using var journal = Journal.Open(new JournalOptions { DataFolder = _folder.Data, SegmentRecords = 65_536 });
        var account = JournalFolder.Account();
        Once(1000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Once(50_000);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(1000);

        void Once(int times)
        {
            for (var i = 0; i < times; i++) journal.Complete(journal.Record(journal.AccountOf(account), 200, JournalFolder.Now, 1, 1), 1, 1);
        }
    }

    [Fact]
    public void The_node_keeps_its_name_and_the_journal_its_epoch()
    {
        string node, epoch;
        using (var journal = _folder.Open()) (node, epoch) = (journal.NodeId, journal.Epoch);
        using (var again = _folder.Open()) (again.NodeId, again.Epoch).ShouldBe((node, epoch));
        File.ReadAllText(Path.Combine(_folder.Data, "node-id")).Trim().ShouldBe(node);
        Directory.Delete(_folder.Journal, recursive: true);
        using var anew = _folder.Open();
        anew.NodeId.ShouldBe(node);
        anew.Epoch.ShouldNotBe(epoch);
    }

    [Fact]
    public void A_journal_that_lost_its_state_is_not_guessed_at()
    {
        using (var journal = _folder.Open()) journal.Record(journal.AccountOf(JournalFolder.Account()), 200, JournalFolder.Now, 1, 1);
        File.Delete(Path.Combine(_folder.Journal, JournalState.FileName));
        Should.Throw<JournalException>(() => _folder.Open()).Message.ShouldContain("is missing");
    }
}
