using Tollgate.Gateway.Policy.Metering;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>The record of one metered call: written before the first byte of its answer, completed after the last.</summary>
internal struct CallRecord
{
    private JournalSlot _slot;
    private bool _asked;
    private bool _skipped;

    /// <summary>The journal was exhausted: the answer must not leave.</summary>
    public readonly bool IsMissing => _asked && !_skipped && !_slot.IsRecorded;

    /// <summary>The call belongs to one that is told of already.</summary>
    public readonly bool IsSkipped => _skipped;

    public readonly bool IsWritten => _slot.IsRecorded;

    /// <summary>Bytes of the body, where the answer said its length.</summary>
    public long BytesOut;

    /// <summary>Counts the others; null = the length is known.</summary>
    public CountingStream? Counting;

    /// <summary>What the call was counted with.</summary>
    public long Units;

    /// <summary>A call is recorded once, whatever comes after.</summary>
    public void Write(Journal journal, int account, int status, long arrivedUnixMs, long units, UInt128 requestNumber)
    {
        if (_asked) return;
        _asked = true;
        Units = units;
        _slot = journal.Record(account, status, arrivedUnixMs, units, requestNumber);
    }

    /// <summary>The call is not recorded: it belongs to one that was.</summary>
    public void Skip() => _asked = _skipped = true;

    public readonly void Complete(Journal? journal, TimeSpan duration)
    {
        if (_slot.IsRecorded) journal!.Complete(_slot, Counting?.Written ?? BytesOut, (long)duration.TotalMicroseconds);
    }
}
