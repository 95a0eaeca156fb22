namespace Tollgate.Gateway.Explain;

/// <summary>
/// Every call of this node, so that each can be explained afterwards: bounded in bytes and in days, whichever is reached first. To keep a call costs no
/// system call and no lock; what the log has no room for at a moment is not kept, and never holds a call up.
/// </summary>
internal sealed partial class CallLog : IDisposable
{
    private const int Segments = 8;
    private const int MemorySegments = 2;
    private const int MemoryCalls = 8192;

    private readonly string? _folder;
    private readonly int _capacity;
    private readonly int _most;
    private readonly TimeSpan _kept;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _turning = new();
    private CallSegment[] _segments;    // oldest first; the last is written
    private CallSegment? _prepared;
    private bool _preparing;
    private long _dropped;

    /// <param name="folder">Null = a few thousand calls in memory.</param>
    /// <param name="bytes">On disk, all files of calls together.</param>
    public CallLog(string? folder, long bytes, TimeSpan kept, TimeProvider time, ILogger<CallLog> logger)
    {
        (_folder, _kept, _time, _logger) = (folder, kept, time, logger);
        _capacity = folder is null ? MemoryCalls : (int)Math.Clamp(bytes / Segments / CallEntry.SizeBytes, 1024, 64 * 1024 * 1024 / CallEntry.SizeBytes);
        _most = folder is null ? MemorySegments : (int)Math.Max(2, bytes / ((long)_capacity * CallEntry.SizeBytes));
        var known = folder is null ? [] : Load(folder);
        _segments = known.LastOrDefault() is { } last && last.Count < last.Capacity && last.Capacity == _capacity
            ? known
            : [.. known, CallSegment.Create(folder, (known.LastOrDefault()?.Number ?? 0) + 1, _capacity)];
        DropOld();
    }

    /// <summary>How many calls can be explained.</summary>
    public long Count => Volatile.Read(ref _segments).Sum(segment => (long)segment.Count);

    /// <summary>Calls that could not be kept.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Keeps a call that has ended.</summary>
    public void Add(in CallEntry entry, in CallParty party)
    {
        var current = Volatile.Read(ref _segments)[^1];
        if (!current.TryAdd(in entry, in party) && !(Turn(current) && Volatile.Read(ref _segments)[^1].TryAdd(in entry, in party)))
            Interlocked.Increment(ref _dropped);
        if (current.Count * 4L > current.Capacity * 3L && !Volatile.Read(ref _preparing) && Volatile.Read(ref _prepared) is null) Prepare();
    }

    /// <summary>The newest call with this number, and its names; null when it is not, or no longer, here.</summary>
    public (CallEntry Entry, CallNames? Names)? Find(UInt128 request)
    {
        var segments = Volatile.Read(ref _segments);
        for (var i = segments.Length - 1; i >= 0; i--)
            if (segments[i].TryFind(request, out var entry))
                return (entry, segments[i].NamesOf(entry.Party));
        return null;
    }

    /// <summary>The newest calls of a credential, newest first.</summary>
    public IReadOnlyList<(CallEntry Entry, CallNames Names)> Of(string credential, int most)
    {
        var found = new List<(CallEntry, CallNames)>();
        foreach (var segment in Volatile.Read(ref _segments).Reverse())
        {
            if (found.Count >= most) break;
            found.AddRange(segment.Of(credential, most - found.Count));
        }

        return found;
    }

    /// <summary>Forgets calls that are older than they may be. To be called now and then.</summary>
    public void Tidy()
    {
        lock (_turning) DropOld();
    }

    public void Dispose()
    {
        lock (_turning)
        {
            foreach (var segment in _segments) segment.Dispose();
            _prepared?.Delete();
            _prepared = null;
        }
    }

    private CallSegment[] Load(string folder)
    {
        Directory.CreateDirectory(folder);
        var segments = new List<CallSegment>();
        foreach (var path in Directory.EnumerateFiles(folder, "*.calls").Order(StringComparer.Ordinal))
        {
            try
            {
                segments.Add(CallSegment.Open(path));
            }
            catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException or FormatException or ArgumentException)
            {
                Log.NotRead(_logger, path, unusable.Message);
            }
        }

        return [.. segments.OrderBy(segment => segment.Number)];
    }

    // The next stretch is made beside the path of calls, before it is needed.
    private void Prepare()
    {
        lock (_turning)
        {
            if (_preparing || _prepared is not null) return;
            _preparing = true;
        }

        _ = Task.Run(() =>
        {
            try
            {
                var next = CallSegment.Create(_folder, Volatile.Read(ref _segments)[^1].Number + 1, _capacity);
                lock (_turning) _prepared = next;
            }
            catch (Exception full) when (full is IOException or UnauthorizedAccessException)
            {
                Log.NotKept(_logger, full.Message);
            }
            finally
            {
                Volatile.Write(ref _preparing, false);
            }
        });
    }

    private bool Turn(CallSegment full)
    {
        lock (_turning)
        {
            if (!ReferenceEquals(_segments[^1], full)) return true;
            if (_prepared is not { } next) return false;
            _prepared = null;
            Volatile.Write(ref _segments, [.. _segments, next]);
            DropOld();
            return true;
        }
    }

    private void DropOld()
    {
        var before = (_time.GetUtcNow() - _kept).ToUnixTimeMilliseconds();
        var drop = _segments.Take(_segments.Length - 1).Where((segment, i) => _segments.Length - i > _most || segment.LastUnixMs < before).ToArray();
        if (drop.Length == 0) return;
        Volatile.Write(ref _segments, [.. _segments.Except(drop)]);
        foreach (var segment in drop) segment.Delete();
    }

    private static partial class Log
    {
        [LoggerMessage(2381, LogLevel.Warning, "{Path} cannot be read ({Reason}); its calls cannot be explained")]
        public static partial void NotRead(ILogger logger, string path, string reason);

        [LoggerMessage(2382, LogLevel.Warning, "The log of calls finds no room ({Reason}); the next calls cannot be explained")]
        public static partial void NotKept(ILogger logger, string reason);
    }
}
