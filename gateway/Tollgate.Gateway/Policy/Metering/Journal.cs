using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Contracts;
using Tollgate.Gateway.Policy.Limits;

namespace Tollgate.Gateway.Policy.Metering;

/// <summary>
/// The node's own record of every metered call, in memory-mapped segment files that survive <c>kill -9</c>. One writer process a folder.
/// </summary>
internal sealed class Journal : IDisposable
{
    private const int UnrecordedLogMs = 1000;

    private readonly JournalOptions _options;
    private readonly FileStream _lock;
    private readonly JournalAccounts _accounts;
    private readonly JournalSegments _segments;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _positionGate = new();
    private readonly ShippedUnits? _shipped;
    private JournalState _state;
    private long _unrecorded;
    private long _unrecordedLoggedAt;
    private volatile bool _dictionaryFull;

    private Journal(JournalOptions options, FileStream @lock, TimeProvider time, ILogger logger)
    {
        (_options, _lock, _time, _logger) = (options, @lock, time, logger);
        NodeId = Metering.NodeId.LoadOrCreate(options.DataFolder, options.NodeId);
        _state = JournalState.LoadOrCreate(options.Folder);
        _accounts = new JournalAccounts(options.Folder);
        _segments = new JournalSegments(options, _accounts, NodeId, _state.Epoch, _state.Position.Cursor, time, logger);
        if (options.Ships) _shipped = ShippedUnits.Open(options.Folder, _state.Sequence, time.GetUtcNow().ToUnixTimeMilliseconds());
        _accounts.Compact(_segments.All.SelectMany(segment => segment.Totals?.Accounts ?? []).ToHashSet());
    }

    /// <summary>The node's own name for itself.</summary>
    public string NodeId { get; }

    /// <summary>Made when the journal was made; a node that lost its data folder starts another.</summary>
    public string Epoch => _state.Epoch;

    public string Folder => _options.Folder;

    /// <summary>False while the disk or the journal's budget is full: metered calls are refused before they are forwarded.</summary>
    public bool IsAccepting => _segments.HasRoom;

    /// <summary>The calendars of an account's quotas; null = not known. So that what was shipped can be told by period.</summary>
    public Func<JournalAccount, IReadOnlyList<QuotaCalendar>?> CalendarsOf { get; set; } = static _ => null;

    /// <summary>How far the journal has been shipped.</summary>
    public JournalPosition Acknowledged => Volatile.Read(ref _state).Position;

    /// <summary>Opens the journal of a data folder, making it where there is none, and reads what earlier processes left.</summary>
    /// <exception cref="JournalException">It cannot be opened as it is: another process writes it, or its files do not fit together.</exception>
    public static Journal Open(JournalOptions options, TimeProvider? time = null, ILogger? logger = null)
    {
        options.Check();
        Directory.CreateDirectory(options.Folder);
        var @lock = Lock(options.Folder);
        try
        {
            return new Journal(options, @lock, time ?? TimeProvider.System, logger ?? NullLogger.Instance);
        }
        catch
        {
            @lock.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The small number under which records name who called what. Written to the journal's dictionary before it is first used; known ones cost a look-up.
    /// 0 when it is new and the disk would not take it: that call must be refused, as when <see cref="IsAccepting"/> is false.
    /// </summary>
    public int AccountOf(in JournalAccount account)
    {
        var number = _accounts.NumberOf(account, out var failure);
        if (number == 0 && failure is not null && !_dictionaryFull) Log.DictionaryFull(_logger, failure);
        if (_dictionaryFull != (number == 0)) _dictionaryFull = number == 0;
        return number;
    }

    /// <summary>
    /// Writes one answered call. Must be called before the first byte of the answer leaves: what the caller has seen is then counted,
    /// whatever happens to the process. No system call, no lock, no allocation, except at the end of a segment.
    /// </summary>
    /// <returns>Where it was written; <see cref="JournalSlot.IsRecorded"/> is false when even the headroom is used up.</returns>
    public JournalSlot Record(int account, int status, long arrivedUnixMs, long units, UInt128 requestId)
    {
        if (account == 0) return Unrecorded();
        while (true)
        {
            var segment = _segments.Current;
            if (segment.TryReserve(out var index))
            {
                segment.Write(index, account, (ushort)status, arrivedUnixMs, units, requestId);
                return new JournalSlot(segment, index);
            }

            if (!_segments.Advance(segment)) return Unrecorded();
        }
    }

    /// <summary>Adds what is known only at the end of the answer. Harmless when the record has been shipped and its segment released.</summary>
    public void Complete(JournalSlot slot, long bytesOut, long durationUs) => slot.Segment?.Complete(slot.Index, bytesOut, durationUs);

    /// <summary>
    /// Units that a subscription used, with live keys or test keys, between two moments, <c>[from, to)</c>, over what the journal holds; where records are shipped, over what
    /// is not yet acknowledged, so that the control plane's total and this one add up.
    /// </summary>
    public long UnitsOf(UsageOwner owner, long fromUnixMs, long toUnixMs)
    {
        var accounts = _accounts.Of(owner);
        if (accounts.Count == 0) return 0;
        var start = _options.Ships ? Acknowledged.Cursor : default;
        var units = 0L;
        var buffer = new JournalRecord[4096];
        foreach (var segment in _segments.All)
        {
            if (segment.Number < start.Segment) continue;
            var index = segment.Number == start.Segment ? start.Index : 0;
            var totals = segment.Totals ??= TotalsOf(segment, buffer);
            if (totals is not null && (totals.LastUnixMs < fromUnixMs || totals.FirstUnixMs >= toUnixMs)) continue;
            if (totals is not null && index == 0 && totals.FirstUnixMs >= fromUnixMs && totals.LastUnixMs < toUnixMs)
            {
                units += totals.UnitsOf(accounts);
                continue;
            }

            for (int read; (read = ReadReleased(segment, index, buffer)) > 0; index += read)
                foreach (ref readonly var record in buffer.AsSpan(0, read))
                    if (record.IsWhole && record.ArrivedUnixMs >= fromUnixMs && record.ArrivedUnixMs < toUnixMs && accounts.Contains(record.Account))
                        units += record.Units;
        }

        return units;
    }

    /// <summary>What this node ever metered for an owner in <c>[from, to)</c>: what the journal holds, and what was shipped of it; null = that is not known to the unit.</summary>
    public (long Here, long? Shipped) UseOf(UsageOwner owner, long fromUnixMs, long toUnixMs)
    {
        lock (_positionGate)    // nothing moves from the one to the other meanwhile
            return (UnitsOf(owner, fromUnixMs, toUnixMs), _shipped is null ? 0 : _shipped.Of(owner, fromUnixMs, toUnixMs));
    }

    public JournalFacts Facts()
    {
        var unshipped = 0L;
        TimeSpan? oldest = null;
        if (_options.Ships)
        {
            var cursor = Acknowledged.Cursor;
            var first = new JournalRecord[1];
            foreach (var segment in _segments.All)
            {
                if (segment.Number < cursor.Segment) continue;
                var index = segment.Number == cursor.Segment ? cursor.Index : 0;
                unshipped += Math.Max(0, segment.Reserved - index);
                if (oldest is null && ReadReleased(segment, index, first) == 1 && first[0].IsWhole)
                    oldest = TimeSpan.FromMilliseconds(Math.Max(0, _time.GetUtcNow().ToUnixTimeMilliseconds() - first[0].ArrivedUnixMs));
            }
        }

        return new(IsAccepting, _segments.Obstacle, _segments.DiskShare, unshipped, oldest, Interlocked.Read(ref _unrecorded));
    }

    /// <summary>Whether anything was written at or after a place. Cheap enough to ask several times a second.</summary>
    public bool HasAfter(JournalCursor cursor)
    {
        var segments = _segments.All;
        for (var i = segments.Length - 1; i >= 0 && segments[i].Number >= cursor.Segment; i--)
            if (segments[i].Reserved > (segments[i].Number == cursor.Segment ? cursor.Index : 0)) return true;
        return false;
    }

    /// <summary>Whose usage it knows of.</summary>
    public IReadOnlySet<UsageOwner> Owners()
    {
        lock (_positionGate)
            return _shipped is null ? _accounts.Owners() : _accounts.Owners().Concat(_shipped.Owners).ToHashSet();
    }

    public JournalAccount? FindAccount(int number) => _accounts.Find(number);

    /// <summary>The segments in order, for the one that ships them.</summary>
    public IReadOnlyList<JournalSegment> Segments => _segments.All;

    /// <summary>Remembers durably that everything before a place has been counted elsewhere, and lets its segments go. One thread alone does so.</summary>
    public void Acknowledge(JournalPosition position)
    {
        var nowUnixMs = _time.GetUtcNow().ToUnixTimeMilliseconds();
        var calendars = new Dictionary<UsageOwner, IReadOnlyList<QuotaCalendar>?>();
        var batch = _shipped is null ? [] : Between(Acknowledged.Cursor, position.Cursor, calendars);
        lock (_positionGate)
        {
            _shipped?.Write(position.Sequence, batch, nowUnixMs);
            var next = _state.At(position);
            next.Save(_options.Folder);
            Volatile.Write(ref _state, next);
            _shipped?.Count(position.Sequence, batch, calendars.GetValueOrDefault, nowUnixMs);
            if (_options.Ships) _segments.ReleaseBefore(position.Cursor);
        }
    }

    /// <summary>Writes everything to the disk and lets another process have the journal.</summary>
    public void Dispose()
    {
        _segments.Dispose();
        _accounts.Dispose();
        _lock.Dispose();
    }

    /// <summary>Units by owner in a stretch of records, cut where a quota's period ends.</summary>
    private List<(UsageOwner, ShippedUnits.Stretch)> Between(JournalCursor from, JournalCursor to, Dictionary<UsageOwner, IReadOnlyList<QuotaCalendar>?> calendars)
    {
        var sums = new Dictionary<UsageOwner, List<ShippedUnits.Stretch>>();
        var accounts = new Dictionary<int, UsageOwner?>();
        var buffer = new JournalRecord[1024];
        foreach (var segment in _segments.All)
        {
            if (segment.Number < from.Segment || segment.Number > to.Segment) continue;
            var index = segment.Number == from.Segment ? from.Index : 0;
            var end = segment.Number == to.Segment ? to.Index : int.MaxValue;
            for (int read; index < end && (read = ReadReleased(segment, index, buffer.AsSpan(0, Math.Min(buffer.Length, end - index)))) > 0; index += read)
            {
                foreach (ref readonly var record in buffer.AsSpan(0, read))
                {
                    if (!record.IsWhole || record.Units == 0) continue;
                    if (!accounts.TryGetValue(record.Account, out var known))
                    {
                        accounts[record.Account] = known = FindAccount(record.Account)?.Owner;
                        if (known is { } added && FindAccount(record.Account) is { } account)
                            calendars[added] = calendars.GetValueOrDefault(added) is { } others ? [.. others, .. CalendarsOf(account) ?? []] : CalendarsOf(account);
                    }
                    if (known is { } owner) Add(sums, owner, record, calendars[owner]);
                }
            }
        }
        return [.. sums.SelectMany(sum => sum.Value.Select(stretch => (sum.Key, stretch)))];
    }

    private static void Add(Dictionary<UsageOwner, List<ShippedUnits.Stretch>> sums, UsageOwner owner, in JournalRecord record, IReadOnlyList<QuotaCalendar>? calendars)
    {
        if (!sums.TryGetValue(owner, out var stretches)) sums[owner] = stretches = [];
        var at = record.ArrivedUnixMs;
        for (var i = stretches.Count - 1; i >= 0; i--)
        {
            var held = stretches[i];
            var (first, last) = (Math.Min(held.First, at), Math.Max(held.Last, at));
            if (calendars is not null && (first, last) != (held.First, held.Last) && !calendars.All(calendar => calendar.At(first).Contains(last))) continue;
            stretches[i] = new ShippedUnits.Stretch(first, last, held.Units + record.Units);
            return;
        }
        stretches.Add(new ShippedUnits.Stretch(at, at, record.Units));
    }

    private static FileStream Lock(string folder)
    {
        var path = Path.Combine(folder, "lock");
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException held) when (held is not DirectoryNotFoundException)
        {
            throw new JournalException($"The usage journal in '{folder}' is in use by another process. Give every gateway a data folder of its own.", held);
        }
    }

    /// <summary>Sums up a segment that will not change any more; null for one that may.</summary>
    private static JournalTotals? TotalsOf(JournalSegment segment, JournalRecord[] buffer)
    {
        if (segment.Remaining > 0) return null;
        var totals = new JournalTotals();
        var index = 0;
        for (int read; (read = ReadReleased(segment, index, buffer)) > 0; index += read)
            foreach (ref readonly var record in buffer.AsSpan(0, read))
                if (record.IsWhole) totals.Add(record);
        return index == segment.Records ? totals : null;
    }

    /// <summary>Reads from a segment that may be released meanwhile: what is gone has been counted elsewhere.</summary>
    private static int ReadReleased(JournalSegment segment, int from, Span<JournalRecord> into)
    {
        try
        {
            return segment.Read(from, into);
        }
        catch (FileNotFoundException)
        {
            return 0;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private JournalSlot Unrecorded()
    {
        Interlocked.Increment(ref _unrecorded);
        var loggedAt = Interlocked.Read(ref _unrecordedLoggedAt);
        if ((loggedAt == 0 || _time.GetElapsedTime(loggedAt).TotalMilliseconds > UnrecordedLogMs)
            && Interlocked.CompareExchange(ref _unrecordedLoggedAt, _time.GetTimestamp(), loggedAt) == loggedAt)
            Log.Unrecorded(_logger, Interlocked.Read(ref _unrecorded));
        return default;
    }
}

internal static partial class Log
{
    [LoggerMessage(2307, LogLevel.Error, "{Count} metered calls could not be written to the usage journal: it is full beyond its headroom")]
    public static partial void Unrecorded(ILogger logger, long count);

    [LoggerMessage(2308, LogLevel.Error, "The usage journal's dictionary cannot grow. Calls of callers that it does not know yet are refused until there is room on the disk")]
    public static partial void DictionaryFull(ILogger logger, Exception failure);
}
