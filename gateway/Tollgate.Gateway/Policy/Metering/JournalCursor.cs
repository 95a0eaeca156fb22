namespace Tollgate.Gateway.Policy.Metering;

/// <summary>A place in the journal: the next slot to read, <paramref name="Index"/> of segment <paramref name="Segment"/>.</summary>
internal readonly record struct JournalCursor(long Segment, int Index);

/// <summary>How far the journal has been shipped: the last batch that was acknowledged, its hash, and where the next one begins.</summary>
internal sealed record JournalPosition(long Sequence, string Hash, JournalCursor Cursor)
{
    /// <summary>The chain's beginning: no batch yet.</summary>
    public static readonly JournalPosition Start = new(0, new string('0', 64), default);
}
