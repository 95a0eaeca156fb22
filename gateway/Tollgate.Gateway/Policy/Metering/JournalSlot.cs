namespace Tollgate.Gateway.Policy.Metering;

/// <summary>Names a written record until its call has ended.</summary>
internal readonly struct JournalSlot(JournalSegment segment, int index)
{
    private readonly JournalSegment? _segment = segment;

    /// <summary>False when the journal was exhausted and the call could not be written: it must not be answered as a metered one.</summary>
    public bool IsRecorded => _segment is not null;

    public int Index => index;
    public JournalSegment? Segment => _segment;
}
