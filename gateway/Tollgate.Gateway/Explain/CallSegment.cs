using System.Collections.Concurrent;
using System.IO.MemoryMappedFiles;
using System.Text.Json;

namespace Tollgate.Gateway.Explain;

/// <summary>
/// A stretch of the call log: a mapped file of entries, which survives <c>kill -9</c>, and beside it a file of the names that they use. The two go together.
/// Without a folder both are memory.
/// </summary>
internal sealed unsafe class CallSegment : IDisposable
{
    /// <summary>Calls whose names no longer fit are kept without them.</summary>
    private const int MostParties = 20_000;

    private readonly string? _path;
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly CallEntry* _entries;
    private readonly ConcurrentDictionary<CallParty, int> _numbers = new();
    private readonly List<CallNames?> _names = [];    // null: lost in a crash, and its number is nobody else's
    private readonly FileStream? _namesFile;
    private int _next;

    private CallSegment(long number, int capacity, string? path, MemoryMappedFile map, FileStream? namesFile)
    {
        (Number, Capacity, _path, _map, _namesFile) = (number, capacity, path, map, namesFile);
        _view = map.CreateViewAccessor(0, (long)capacity * CallEntry.SizeBytes);
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _view.SafeMemoryMappedViewHandle.ReleasePointer();    // the view itself keeps the mapping, to its finalizer
        _entries = (CallEntry*)(start + _view.PointerOffset);
    }

    public long Number { get; }
    public int Capacity { get; }

    /// <summary>Entries that were drawn so far.</summary>
    public int Count => Math.Min(Volatile.Read(ref _next), Capacity);

    /// <summary>Makes an empty one.</summary>
    public static CallSegment Create(string? folder, long number, int capacity)
    {
        if (folder is null) return new CallSegment(number, capacity, null, MemoryMappedFile.CreateNew(null, (long)capacity * CallEntry.SizeBytes), null);
        var path = PathOf(folder, number);
        // Every block is really there: a hole in a mapped file is a SIGBUS on the day the disk is full.
        using (var file = new FileStream(path + ".new", FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            var zeros = new byte[256 * 1024];
            for (var left = (long)capacity * CallEntry.SizeBytes; left > 0; left -= zeros.Length) file.Write(zeros.AsSpan(0, (int)Math.Min(left, zeros.Length)));
        }

        File.Move(path + ".new", path, overwrite: true);
        var names = new FileStream(NamesOf(path), FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        return new CallSegment(number, capacity, path, Map(path), names);
    }

    /// <summary>One that an earlier process left, to be read, and written on while it has room.</summary>
    public static CallSegment Open(string path)
    {
        var capacity = (int)(new FileInfo(path).Length / CallEntry.SizeBytes);
        var number = long.Parse(Path.GetFileNameWithoutExtension(path), System.Globalization.CultureInfo.InvariantCulture);
        var file = new FileStream(NamesOf(path), FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        file.Write("\n"u8);    // ends a line that a crash may have cut off
        var segment = new CallSegment(number, capacity, path, Map(path), file);
        if (File.Exists(NamesOf(path)))
            foreach (var line in Lines(NamesOf(path)))
                if (Read(line) is { } names && names.Number > segment._names.Count && names.Number <= MostParties)
                {
                    segment.Skip(names.Number - 1);
                    segment._names.Add(names);
                }

        segment._next = capacity;
        while (segment._next > 0 && segment._entries[segment._next - 1].Written == 0) segment._next--;
        for (var i = 0; i < segment._next; i++) segment.Skip(Math.Min(segment._entries[i].Party, MostParties));
        return segment;
    }

    public static string PathOf(string folder, long number) => Path.Combine(folder, $"{number:D10}.calls");

    /// <summary>Keeps an entry; false when there is no room left.</summary>
    public bool TryAdd(in CallEntry entry, in CallParty party)
    {
        var index = Interlocked.Increment(ref _next) - 1;
        if (index >= Capacity)
        {
            Interlocked.Decrement(ref _next);
            return false;
        }

        var at = _entries + index;
        *at = entry;
        at->Party = NumberOf(party);
        Volatile.Write(ref at->Written, 1);
        GC.KeepAlive(this);
        return true;
    }

    /// <summary>The newest call with this number; false when it is not here.</summary>
    public bool TryFind(UInt128 request, out CallEntry entry)
    {
        var (high, low) = ((ulong)(request >> 64), (ulong)request);
        for (var i = Count - 1; i >= 0; i--)
        {
            if (_entries[i].RequestLow != low || _entries[i].RequestHigh != high || Volatile.Read(ref _entries[i].Written) == 0) continue;
            entry = _entries[i];
            GC.KeepAlive(this);
            return true;
        }

        GC.KeepAlive(this);
        entry = default;
        return false;
    }

    /// <summary>The newest calls of a credential, newest first.</summary>
    public IEnumerable<(CallEntry Entry, CallNames Names)> Of(string credential, int most)
    {
        CallNames[] names;
        lock (_names) names = [.. _names.OfType<CallNames>()];
        var wanted = names.Where(name => name.Caller?.Credential == credential).ToDictionary(name => name.Number);
        for (var i = Count - 1; i >= 0 && wanted.Count > 0 && most > 0; i--)
        {
            var entry = At(i);
            if (entry.Written == 0 || !wanted.TryGetValue(entry.Party, out var name)) continue;
            most--;
            yield return (entry, name);
        }
    }

    /// <summary>Null when there was no room for its names.</summary>
    public CallNames? NamesOf(int party)
    {
        lock (_names) return party >= 1 && party <= _names.Count ? _names[party - 1] : null;
    }

    /// <summary>When the newest call arrived; 0 = there is none.</summary>
    public long LastUnixMs => Count == 0 ? 0 : At(Count - 1).ArrivedUnixMs;

    /// <summary>Its files go with it.</summary>
    public void Delete()
    {
        Dispose();
        if (_path is null) return;
        foreach (var file in new[] { _path, NamesOf(_path) })
        {
            try
            {
                File.Delete(file);
            }
            catch (Exception locked) when (locked is IOException or UnauthorizedAccessException)
            {
                // taken away with the next one
            }
        }
    }

    public void Dispose()
    {
        _namesFile?.Dispose();
        // The view is let go by its finalizer: a call that ends just now may still hold the pointer.
    }

    private void Skip(int names)
    {
        while (_names.Count < names) _names.Add(null);
    }

    private CallEntry At(int index) => _entries[index];

    private int NumberOf(in CallParty party)
    {
        if (_numbers.TryGetValue(party, out var number)) return number;
        lock (_names)
        {
            if (_numbers.TryGetValue(party, out number)) return number;
            if (_names.Count >= MostParties) return 0;
            number = _names.Count + 1;
            var names = party.Names(number);
            _names.Add(names);
            try
            {
                _namesFile?.Write([.. JsonSerializer.SerializeToUtf8Bytes(names, CallNamesJson.Default.CallNames), (byte)'\n']);
            }
            catch (Exception full) when (full is IOException or ObjectDisposedException)
            {
                // Known for as long as this process lives.
            }

            _numbers[party] = number;
            return number;
        }
    }

    private static MemoryMappedFile Map(string path)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        return MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: false);
    }

    private static string NamesOf(string path) => Path.ChangeExtension(path, ".names");

    private static IEnumerable<string> Lines(string path)
    {
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        while (reader.ReadLine() is { } line) yield return line;
    }

    private static CallNames? Read(string line)
    {
        if (line.Length == 0) return null;
        try
        {
            return JsonSerializer.Deserialize(line, CallNamesJson.Default.CallNames);
        }
        catch (JsonException)
        {
            return null;    // cut off by a crash
        }
    }
}
