namespace Tollgate.Gateway.Policy.Metering;

/// <summary>Where a journal lies and how large it may grow.</summary>
internal sealed class JournalOptions
{
    /// <summary>The node's data folder; the journal is its subfolder <c>journal</c>.</summary>
    public required string DataFolder { get; init; }

    /// <summary>The node's name for itself; null = the one kept in the data folder, made on first use.</summary>
    public string? NodeId { get; init; }

    /// <summary>What the segments may take on disk together.</summary>
    public long MaxBytes { get; init; } = 1L << 30;

    /// <summary>Records a segment, a multiple of 64. The default makes segments of 8 MiB.</summary>
    public int SegmentRecords { get; init; } = 131_072;

    /// <summary>
    /// Whether a shipper takes the records away. With one, segments are deleted once their records are acknowledged. Without one the journal
    /// is the only record of what was used: nothing is deleted, and a full journal refuses metered calls until someone moves it away.
    /// </summary>
    public bool Ships { get; init; }

    /// <summary>Bytes free on the disk that holds a folder.</summary>
    public Func<string, long> FreeBytes { get; init; } = static folder => new DriveInfo(folder).AvailableFreeSpace;

    /// <summary>Slots kept back for calls that are already under way when the journal stops accepting: a quarter of a segment.</summary>
    public int Headroom => SegmentRecords / 4;

    public long SegmentBytes => JournalSegment.HeaderBytes + (long)SegmentRecords * JournalRecord.SizeBytes;

    public string Folder => FolderOf(DataFolder);

    public static string FolderOf(string dataFolder) => Path.Combine(dataFolder, "journal");

    public void Check()
    {
        if (SegmentRecords is < 64 or > 16_777_216 || SegmentRecords % 64 != 0)
            throw new JournalException($"A journal segment holds a multiple of 64 records, between 64 and 16777216; {SegmentRecords} was asked for.");
        if (MaxBytes < 3 * SegmentBytes)
            throw new JournalException($"The journal needs a budget of at least {3 * SegmentBytes} bytes (three segments); it was given {MaxBytes}.");
    }
}
