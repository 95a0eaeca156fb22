namespace Tollgate.Storage.Feeds;

/// <summary>The latest state of one thing in a feed. The log is compacted by construction: a later change of the same thing takes its row.</summary>
public sealed class Change
{
    public required string Kind { get; init; }
    public required string Key { get; init; }

    /// <summary>Rises in commit order; all changes of one transaction share one.</summary>
    public long Version { get; init; }

    /// <summary>The feed line, as JSON, as readers get it.</summary>
    public required string Line { get; init; }

    /// <summary>The thing is gone: left out of snapshots.</summary>
    public bool Removed { get; init; }
}

/// <summary>One row: which history this is, and its newest version, from 1 on.</summary>
public sealed class FeedHead
{
    public int Id { get; init; }
    public required string Epoch { get; init; }
    public long Version { get; init; }
}
