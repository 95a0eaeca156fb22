using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Metering;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Metering;

namespace Tollgate.UnitTests.Metering;

/// <summary>A node knows to the unit what it ever metered, also of what has left its journal.</summary>
public sealed class ShippedUnitsTests : IDisposable
{
    private const long Day = 86_400_000;
    private static readonly long Midnight = JournalFolder.Now - (JournalFolder.Now % Day);

    private readonly JournalFolder _folder = new();
    private readonly HandClock _clock = new(JournalFolder.Now + (5 * Day));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_was_shipped_and_what_was_not_add_up_by_period_through_kills()
    {
        var random = new Random(5);
        var account = JournalFolder.Account();
        long[] metered = new long[4];
        for (var life = 0; life < 8; life++)
        {
            using var journal = Open();
            ShouldKnow(journal, metered);
            var number = journal.AccountOf(account);
            for (var call = 0; call < 700; call++)
            {
                var day = random.Next(4);
                var units = random.Next(1, 4);
                journal.Complete(journal.Record(number, 200, Midnight + (day * Day) + random.Next((int)Day), units, (UInt128)(ulong)call), 1, 1);
                metered[day] += units;
            }
            var sealer = new UsageSealer(journal, _clock, maxRecords: 150);
            for (var batch = random.Next(8); batch > 0 && sealer.Seal() is { } stretch; batch--) journal.Acknowledge(stretch.Next);
            ShouldKnow(journal, metered);
        }
    }

    [Fact]
    public void A_line_that_was_cut_off_or_a_batch_that_was_never_acknowledged_counts_once()
    {
        var account = JournalFolder.Account();
        var log = Path.Combine(_folder.Journal, "shipped.log");
        using (var journal = Open())
        {
            for (var call = 0; call < 100; call++) journal.Complete(journal.Record(journal.AccountOf(account), 200, Midnight + call, 1, 1), 1, 1);
            journal.Acknowledge(new UsageSealer(journal, _clock, maxRecords: 60).Seal()!.Next);
        }
        File.AppendAllText(log, $"2 {account.Subscription} {Midnight} {Midnight} 40\nend 2\n3 {account.Subscription.ToString()[..9]}");
        using (var journal = Open())
        {
            journal.UseOf(account.Subscription, Midnight, Midnight + Day).ShouldBe((40, 60));
            journal.Acknowledge(new UsageSealer(journal, _clock).Seal()!.Next);
            journal.UseOf(account.Subscription, Midnight, Midnight + Day).ShouldBe((0, 100));
        }
        using (var journal = Open()) journal.UseOf(account.Subscription, Midnight, Midnight + Day).ShouldBe((0, 100));

        File.Delete(log);    // as if it had never been kept
        using var unknowing = Open();
        unknowing.UseOf(account.Subscription, Midnight, Midnight + Day).ShouldBe((0, null));
        unknowing.UseOf(account.Subscription, JournalFolder.Now + (6 * Day), JournalFolder.Now + (7 * Day)).ShouldBe((0, 0));
    }

    private Journal Open()
    {
        var journal = _folder.Open(ships: true, time: _clock);
        journal.CalendarsOf = _ => [new QuotaCalendar(QuotaPeriod.Day, 0, TimeZoneInfo.Utc)];
        return journal;
    }

    private static void ShouldKnow(Journal journal, long[] metered)
    {
        for (var day = 0; day < metered.Length; day++)
        {
            var (here, shipped) = journal.UseOf(JournalFolder.Account().Subscription, Midnight + (day * Day), Midnight + ((day + 1) * Day));
            (here + shipped).ShouldBe(metered[day], $"day {day}");
        }
    }
}
