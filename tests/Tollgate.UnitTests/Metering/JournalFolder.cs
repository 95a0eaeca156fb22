using Tollgate.Contracts;
using Tollgate.Gateway.Policy.Metering;

namespace Tollgate.UnitTests.Metering;

/// <summary>A data folder of its own for one test, with journals of small segments.</summary>
internal sealed class JournalFolder : IDisposable
{
    public const int SegmentRecords = 1024;
    public const long Minute = 60_000;
    public static readonly long Now = new DateTimeOffset(2026, 5, 4, 10, 30, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();

    public JournalFolder() => Data = Directory.CreateTempSubdirectory("tollgate-journal-").FullName;

    public string Data { get; }
    public string Journal => JournalOptions.FolderOf(Data);

    public JournalOptions Options(long segments = 64, bool ships = false, Func<string, long>? free = null) => new()
    {
        DataFolder = Data,
        SegmentRecords = SegmentRecords,
        MaxBytes = segments * new JournalOptions { DataFolder = Data, SegmentRecords = SegmentRecords }.SegmentBytes,
        Ships = ships,
        FreeBytes = free ?? (static _ => long.MaxValue),
    };

    public Journal Open(long segments = 64, bool ships = false, Func<string, long>? free = null, TimeProvider? time = null) =>
        Tollgate.Gateway.Policy.Metering.Journal.Open(Options(segments, ships, free), time);

    public static JournalAccount Account(string application = "app", string product = "weather", string route = "forecast") => new(
        new SubscriptionId(new Guid(application.GetHashCode(), 1, 0, new byte[8])),
        new AppId(new Guid(application.GetHashCode(), 2, 0, new byte[8])),
        application, "key-" + application, product, route, "requests");

    /// <summary>The whole records on disk, as any process sees them.</summary>
    public List<JournalRecord> OnDisk() => [.. JournalReader.Records(Journal).Where(record => record.IsWhole)];

    public string[] SegmentFiles() => [.. Directory.GetFiles(Journal, JournalSegment.FilePattern).Order()];

    public void Dispose() => Directory.Delete(Data, recursive: true);
}

/// <summary>Waits for a fact, with a deadline.</summary>
internal static class Eventually
{
    public static void IsTrue(Func<bool> fact, string what) =>
        SpinWait.SpinUntil(fact, Testing.Deadline.Default).ShouldBeTrue(what);
}
