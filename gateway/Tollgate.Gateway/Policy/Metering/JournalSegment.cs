using System.IO.MemoryMappedFiles;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tollgate.Gateway.Policy.Metering;

/// <summary>
/// One file of the journal: a header page and a fixed number of records. While it is written it is mapped; once all its calls have ended,
/// or when it was left by an earlier process, it is a file to read.
/// </summary>
/// <remarks>
/// A slot belongs to the caller that drew its number, so that writing needs no lock. The mapping can go away under a call that has not ended:
/// those who touch it later than <see cref="Write"/> enter first, and <see cref="Unmap"/> waits for them and lets nobody in after.
/// </remarks>
internal sealed unsafe class JournalSegment
{
    public const int HeaderBytes = 4096;
    public const string FilePattern = "*.seg";

    /// <summary>A segment without room: current while there is no disk to write to.</summary>
    public static readonly JournalSegment None = new("", -1, 0, null);

    private readonly MemoryMappedViewAccessor? _view;
    private readonly JournalRecord* _records;
    private PaddedCounter _reserved;
    private PaddedCounter _users;
    private int _endedPrefix;
    private int _flushedReserved;
    private int _flushedEnded;
    private bool _settled = true;

    private JournalSegment(string path, long number, int records, MemoryMappedViewAccessor? view)
    {
        Path = path;
        Number = number;
        Records = records;
        _view = view;
        if (view is null)
        {
            _users.Value = int.MinValue;
            _reserved.Value = records;
            return;
        }

        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        view.SafeMemoryMappedViewHandle.ReleasePointer();       // the view itself keeps the mapping, to its finalizer
        _records = (JournalRecord*)(start + view.PointerOffset + HeaderBytes);
    }

    public string Path { get; }
    public long Number { get; }

    /// <summary>Slots in it: the capacity while it is written, what was found in one that an earlier process left.</summary>
    public int Records { get; }

    public long Bytes => HeaderBytes + (long)Records * JournalRecord.SizeBytes;

    /// <summary>Slots handed out so far.</summary>
    public int Reserved => Math.Min(Volatile.Read(ref _reserved.Value), Records);

    public int Remaining => Records - Reserved;

    /// <summary>Whether calls of this process may still complete their records here.</summary>
    public bool IsMapped => Volatile.Read(ref _users.Value) >= 0;

    /// <summary>What a full segment adds up to; made on first use.</summary>
    public JournalTotals? Totals { get; set; }

    /// <summary>Makes a file whose every block is really there: a hole in a mapped file is a SIGBUS on the day the disk is full.</summary>
    public static JournalSegment Create(string folder, JournalSegmentHeader header)
    {
        var path = PathOf(folder, header.Number);
        var draft = path + ".new";
        try
        {
            using (var file = new FileStream(draft, FileMode.Create, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0))
            {
                file.Write(header.ToBytes());
                var zeros = new byte[256 * 1024];
                for (var left = (long)header.Records * JournalRecord.SizeBytes; left > 0; left -= zeros.Length)
                    file.Write(zeros.AsSpan(0, (int)Math.Min(left, zeros.Length)));
                file.Flush(flushToDisk: true);
            }

            File.Move(draft, path);
            DurableFile.SyncFolder(folder);
        }
        catch
        {
            try { File.Delete(draft); } catch (IOException) { /* the first failure is the one to report */ }
            throw;
        }

        return Map(path, header.Number, header.Records);
    }

    /// <summary>Maps a prepared file to be written.</summary>
    public static JournalSegment Map(string path, long number, int records)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        using var map = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: false);
        return new(path, number, records, map.CreateViewAccessor(0, HeaderBytes + (long)records * JournalRecord.SizeBytes));
    }

    /// <summary>A file that an earlier process left.</summary>
    public static JournalSegment Closed(string path, long number, int records, JournalTotals totals) => new(path, number, records, null) { Totals = totals };

    public static string PathOf(string folder, long number) => System.IO.Path.Combine(folder, $"{number:D10}.seg");

    /// <summary>Draws a slot; false when there is none left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryReserve(out int index)
    {
        index = Volatile.Read(ref _reserved.Value);
        if (index >= Records) return false;
        index = Interlocked.Increment(ref _reserved.Value) - 1;
        return index < Records;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(int index, int account, ushort status, long arrivedUnixMs, long units, UInt128 requestId)
    {
        var record = _records + index;
        var high = (ulong)(requestId >> 64);
        var low = (ulong)requestId;
        record->Status = status;
        record->ArrivedUnixMs = arrivedUnixMs;
        record->Units = units;
        record->RequestIdHigh = high;
        record->RequestIdLow = low;
        record->Check = JournalRecord.CheckOf(account, status, arrivedUnixMs, units, high, low);
        Volatile.Write(ref record->Account, account);
        GC.KeepAlive(this);
    }

    /// <summary>Adds the end of a call, unless it has one or the segment is gone.</summary>
    public void Complete(int index, long bytesOut, long durationUs)
    {
        if (!TryEnter()) return;
        var record = _records + index;
        if (record->DurationUsPlusOne == 0)
        {
            record->BytesOut = bytesOut;
            Volatile.Write(ref record->DurationUsPlusOne, Math.Max(0, durationUs) + 1);
        }

        Leave();
    }

    /// <summary>
    /// Copies slots from <paramref name="from"/> on. Stops at one that a writer has drawn and not yet committed; a file that an earlier
    /// process left may hold empty and torn ones, which are copied as they are.
    /// </summary>
    public int Read(int from, Span<JournalRecord> into)
    {
        var available = Math.Min(into.Length, Reserved - from);
        if (available <= 0) return 0;
        if (!TryEnter()) return ReadFile(from, into[..available]);
        try
        {
            for (var i = 0; i < available; i++)
            {
                var record = _records + from + i;
                if (Volatile.Read(ref record->Account) == 0) return i;
                var duration = Volatile.Read(ref record->DurationUsPlusOne);      // before the bytes that it vouches for
                into[i] = *record;
                into[i].DurationUsPlusOne = duration;
            }

            return available;
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>Writes changed pages to the disk, when there are any.</summary>
    public void Flush()
    {
        var reserved = Reserved;
        var changed = reserved != _flushedReserved || _endedPrefix != _flushedEnded;
        if (!changed && _settled) return;
        if (!TryEnter()) return;
        _settled = !changed;        // once more after the last change: a slot drawn before that flush may have been filled after it
        try
        {
            _view!.Flush();
            (_flushedReserved, _flushedEnded) = (reserved, _endedPrefix);
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>Whether every slot is taken and every call has ended. Remembers how far it looked: for one thread only.</summary>
    public bool IsFinished()
    {
        var reserved = Reserved;
        if (!TryEnter()) return true;
        while (_endedPrefix < reserved && Volatile.Read(ref _records[_endedPrefix].DurationUsPlusOne) != 0) _endedPrefix++;
        Leave();
        return _endedPrefix == Records;
    }

    /// <summary>Ends the mapping. Calls that end later find nothing to complete.</summary>
    public void Unmap(bool now = true)
    {
        int users;
        do
        {
            users = Volatile.Read(ref _users.Value);
            if (users < 0) return;
        }
        while (Interlocked.CompareExchange(ref _users.Value, users | int.MinValue, users) != users);

        SpinWait.SpinUntil(() => Volatile.Read(ref _users.Value) == int.MinValue);
        if (now) _view!.Dispose();
    }

    private int ReadFile(int from, Span<JournalRecord> into)
    {
        using var file = File.OpenHandle(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return JournalReader.ReadRecords(file, from, into);
    }

    private bool TryEnter()
    {
        if (Interlocked.Increment(ref _users.Value) > 0) return true;
        Interlocked.Decrement(ref _users.Value);
        return false;
    }

    private void Leave() => Interlocked.Decrement(ref _users.Value);

    /// <summary>A counter on a cache line of its own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 192)]
    private struct PaddedCounter
    {
        [FieldOffset(64)] public int Value;
    }
}
