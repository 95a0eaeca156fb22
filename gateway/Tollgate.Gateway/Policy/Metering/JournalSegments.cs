namespace Tollgate.Gateway.Policy.Metering;

/// <summary>
/// The journal's files: the current segment, the one prepared to follow it, and those behind. A thread of its own prepares, flushes and
/// unmaps, so that writing a record never meets the disk.
/// </summary>
internal sealed class JournalSegments : IDisposable
{
    private const int TickMs = 100;
    private const int RetryMs = 1000;

    /// <summary>How long the next segment may take to prepare before calls are refused rather than made to wait for it.</summary>
    private const int PatienceMs = 2000;
    private const double WarnShare = 0.8;

    /// <summary>Left free on the disk for what is not a segment: the outbox, the dictionary, the feeds' last good state.</summary>
    private const long KeepFreeBytes = 16 << 20;

    private readonly JournalOptions _options;
    private readonly JournalAccounts _accounts;
    private readonly string _nodeId;
    private readonly string _epoch;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly Thread _keeper;
    private JournalSegment _current = JournalSegment.None;
    private JournalSegment? _spare;
    private JournalSegment[] _all = [];
    private long _lastNumber;
    private long _failedAt;
    private long _switchedAt;
    private string? _obstacle;
    private bool _warned;
    private volatile bool _disposed;

    public JournalSegments(JournalOptions options, JournalAccounts accounts, string nodeId, string epoch, JournalCursor cursor, TimeProvider time, ILogger logger)
    {
        (_options, _accounts, _nodeId, _epoch, _time, _logger) = (options, accounts, nodeId, epoch, time, logger);
        _lastNumber = cursor.Segment;
        Replay(cursor);
        Advance(JournalSegment.None);
        _keeper = new Thread(Keep) { IsBackground = true, Name = "Tollgate journal" };
        _keeper.Start();
    }

    public JournalSegment Current => Volatile.Read(ref _current);

    /// <summary>All segments that hold records or may soon, in order. A snapshot.</summary>
    public JournalSegment[] All => Volatile.Read(ref _all);

    /// <summary>
    /// True while the next segment is prepared or the current one has room beyond the headroom; what is left when this turns false is for the calls
    /// already under way. A burst that outruns the disk is no reason to refuse as long as nothing hinders the next segment and it comes soon.
    /// </summary>
    public bool HasRoom => Volatile.Read(ref _spare) is not null || Current.Remaining > _options.Headroom || IsSpareComing;

    public double DiskShare => (double)Bytes / _options.MaxBytes;

    /// <summary>What keeps the next segment from being made, when something does.</summary>
    public string? Obstacle => Volatile.Read(ref _obstacle);

    private bool IsSpareComing =>
        Volatile.Read(ref _obstacle) is null && Current != JournalSegment.None && _time.GetElapsedTime(Volatile.Read(ref _switchedAt)).TotalMilliseconds < PatienceMs;

    private long Bytes => All.Sum(segment => segment.Bytes) + (Volatile.Read(ref _spare)?.Bytes ?? 0);

    /// <summary>Puts the prepared segment in the place of a full one. Waits for the disk only when records came faster than it. False = there is no room.</summary>
    public bool Advance(JournalSegment full)
    {
        lock (_gate)
        {
            if (_current != full) return true;
            if (_disposed) return false;
            var next = _spare ?? Prepare();
            if (next is null) return false;
            Volatile.Write(ref _switchedAt, _time.GetTimestamp());
            Volatile.Write(ref _spare, null);
            Volatile.Write(ref _all, [.. _all, next]);
            Volatile.Write(ref _current, next);
        }

        _wake.Set();
        return true;
    }

    /// <summary>Deletes segments that lie wholly before a place.</summary>
    public void ReleaseBefore(JournalCursor cursor)
    {
        JournalSegment[] released;
        lock (_gate)
        {
            released = [.. _all.Where(segment => segment != _current
                && (segment.Number < cursor.Segment || (segment.Number == cursor.Segment && cursor.Index >= segment.Records)))];
            if (released.Length == 0) return;
            Volatile.Write(ref _all, [.. _all.Except(released)]);
        }

        foreach (var segment in released)
        {
            segment.Unmap();
            File.Delete(segment.Path);
        }

        Volatile.Write(ref _failedAt, 0);
        _wake.Set();
    }

    /// <summary>Writes what was recorded to the disk and lets go of the files. What is recorded afterwards is refused.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed) return;
            _disposed = true;
            Volatile.Write(ref _current, JournalSegment.None);
        }

        _wake.Set();
        _keeper.Join();
        _accounts.Flush();
        foreach (var segment in All)
        {
            segment.Flush();
            segment.Unmap(now: false);      // a call that drew its slot a moment ago may be writing: the finalizer ends the mapping
        }

        _wake.Dispose();
    }

    private void Keep()
    {
        while (!_disposed)
        {
            _wake.WaitOne(TickMs);
            try
            {
                PrepareSpare();
                _accounts.Flush();
                foreach (var segment in All) Tend(segment);
                WatchBudget();
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                Log.UpkeepFailed(_logger, failure);
            }
        }
    }

    private void Tend(JournalSegment segment)
    {
        if (!segment.IsMapped) return;
        var finished = segment.IsFinished();
        segment.Flush();
        if (finished && segment != Current) segment.Unmap();
    }

    private void PrepareSpare()
    {
        if (_spare is not null) return;
        lock (_gate)
        {
            if (_disposed || _spare is not null) return;
            if (Prepare() is not { } made) return;
            Volatile.Write(ref _spare, made);
        }

        if (Current == JournalSegment.None) Advance(JournalSegment.None);
    }

    private JournalSegment? Prepare()
    {
        var failedAt = Volatile.Read(ref _failedAt);
        if (failedAt != 0 && _time.GetElapsedTime(failedAt).TotalMilliseconds < RetryMs) return null;
        var obstacle = Bytes + _options.SegmentBytes > _options.MaxBytes
            ? $"its budget of {_options.MaxBytes} bytes is used up"
            : null;
        try
        {
            if (obstacle is null && _options.FreeBytes(_options.Folder) < _options.SegmentBytes + KeepFreeBytes) obstacle = "the disk is full";
            if (obstacle is null)
            {
                var made = JournalSegment.Create(_options.Folder,
                    new(_nodeId, _epoch, _lastNumber + 1, _options.SegmentRecords, _time.GetUtcNow().ToUnixTimeMilliseconds()));
                _lastNumber++;
                Volatile.Write(ref _failedAt, 0);
                if (_obstacle is not null) Log.RoomAgain(_logger);
                Volatile.Write(ref _obstacle, null);
                return made;
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            obstacle = failure.Message;
        }

        Volatile.Write(ref _failedAt, _time.GetTimestamp());
        if (_obstacle is null) Log.NoRoom(_logger, obstacle!);
        Volatile.Write(ref _obstacle, obstacle);
        return null;
    }

    private void WatchBudget()
    {
        var share = DiskShare;
        if (share >= WarnShare && !_warned) Log.NearlyFull(_logger, (int)(share * 100), _options.MaxBytes);
        _warned = share >= WarnShare;
    }

    /// <summary>Reads what earlier processes left. Segments that were prepared and never written are used; others stay as they are.</summary>
    private void Replay(JournalCursor cursor)
    {
        foreach (var draft in Directory.EnumerateFiles(_options.Folder, "*.seg.new").ToArray()) File.Delete(draft);
        var found = new List<JournalSegment>();
        var torn = 0;
        foreach (var path in Directory.EnumerateFiles(_options.Folder, JournalSegment.FilePattern).Order(StringComparer.Ordinal).ToArray())
        {
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            if (JournalReader.ReadHeader(file) is not { } header)
            {
                Log.DamagedSegment(_logger, path);
                File.Move(path, path + ".damaged", overwrite: true);
                continue;
            }

            if (header.Epoch != _epoch)
                throw new JournalException($"'{path}' belongs to another journal (epoch {header.Epoch}, this one is {_epoch}). Move it away.");
            _lastNumber = Math.Max(_lastNumber, header.Number);
            var (totals, used) = Scan(file, ref torn);
            var length = RandomAccess.GetLength(file);
            if (used == 0)
            {
                // Only one that nothing was shipped from, or new records would hide behind the cursor.
                var fresh = (header.Number, 0).CompareTo((cursor.Segment, cursor.Index)) >= 0 && length == _options.SegmentBytes;
                if (fresh && _spare is null) _spare = JournalSegment.Map(path, header.Number, header.Records);
                else File.Delete(path);
                continue;
            }

            // What follows the last record will never be written: give it back, in whole pages.
            var needed = JournalSegment.HeaderBytes + (used + 63L) / 64 * 64 * JournalRecord.SizeBytes;
            if (needed < length) RandomAccess.SetLength(file, needed);
            found.Add(JournalSegment.Closed(path, header.Number, used, totals));
        }

        // A prepared segment must come after everything that was written.
        if (_spare is not null && found.Count > 0 && found[^1].Number > _spare.Number)
        {
            _spare.Unmap();
            File.Delete(_spare.Path);
            _spare = null;
        }

        _all = [.. found];
        if (torn > 0) Log.TornRecords(_logger, torn);
        if (_options.Ships) ReleaseBefore(cursor);
    }

    private static (JournalTotals Totals, int Used) Scan(Microsoft.Win32.SafeHandles.SafeFileHandle file, ref int torn)
    {
        var totals = new JournalTotals();
        var used = 0;
        var buffer = new JournalRecord[4096];
        for (int from = 0, read; (read = JournalReader.ReadRecords(file, from, buffer)) > 0; from += read)
        {
            for (var i = 0; i < read; i++)
            {
                ref readonly var record = ref buffer[i];
                if (record.Account == 0) continue;
                used = from + i + 1;
                if (record.IsWhole) totals.Add(record);
                else torn++;
            }
        }

        return (totals, used);
    }
}

internal static partial class Log
{
    [LoggerMessage(2301, LogLevel.Warning, "The usage journal fills {Percent} % of its budget of {MaxBytes} bytes. When it is full, metered calls are refused")]
    public static partial void NearlyFull(ILogger logger, int percent, long maxBytes);

    [LoggerMessage(2302, LogLevel.Error, "The usage journal cannot grow: {Obstacle}. Metered calls are refused once the current segment is nearly full, until there is room")]
    public static partial void NoRoom(ILogger logger, string obstacle);

    [LoggerMessage(2303, LogLevel.Information, "The usage journal has room again")]
    public static partial void RoomAgain(ILogger logger);

    [LoggerMessage(2304, LogLevel.Error, "Upkeep of the usage journal failed and is tried again")]
    public static partial void UpkeepFailed(ILogger logger, Exception failure);

    [LoggerMessage(2305, LogLevel.Error, "The journal segment {Path} has no valid header. It was set aside as .damaged: its calls are not counted")]
    public static partial void DamagedSegment(ILogger logger, string path);

    [LoggerMessage(2306, LogLevel.Warning, "{Count} journal records were not written whole before a crash and are skipped")]
    public static partial void TornRecords(ILogger logger, int count);
}
