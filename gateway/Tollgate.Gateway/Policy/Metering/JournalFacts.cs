namespace Tollgate.Gateway.Policy.Metering;

/// <summary>How a journal stands, for health and metrics.</summary>
/// <param name="IsAccepting">Whether metered calls are admitted as far as the journal is concerned.</param>
/// <param name="Obstacle">What keeps it from growing, when something does.</param>
/// <param name="DiskShare">Part of its budget that is on disk, 0 to 1.</param>
/// <param name="UnshippedRecords">Records that no acknowledged batch holds; 0 where nothing is shipped.</param>
/// <param name="OldestUnshipped">Age of the oldest of them.</param>
/// <param name="UnrecordedCalls">Calls of this process that the journal could not take. Anything but 0 asks for a person.</param>
internal sealed record JournalFacts(
    bool IsAccepting,
    string? Obstacle,
    double DiskShare,
    long UnshippedRecords,
    TimeSpan? OldestUnshipped,
    long UnrecordedCalls);
