using System.Globalization;
using System.Text;
using Tollgate.Contracts;
using Tollgate.Gateway.Policy.Limits;

namespace Tollgate.Gateway.Policy.Metering;

/// <summary>
/// What of a subscription's use has left the journal because the control plane counted it, in <c>shipped.log</c>: with what is still in the journal, all that this
/// node ever metered. So a node that was killed knows to the unit what it spent of a quota, and its lease goes back. The journal's position gate guards it.
/// </summary>
internal sealed class ShippedUnits
{
    private const string FileName = "shipped.log";
    private const string Version = "shipped 1";
    private const long CompactBytes = 8 * 1024 * 1024;
    private const long KeptMs = 63L * 86_400_000;    // the longest period, and the one before

    private readonly string _path;
    private readonly Dictionary<UsageOwner, List<Stretch>> _stretches = [];
    private long _knownFromUnixMs;
    private long _bytes;

    private ShippedUnits(string path) => _path = path;

    public IEnumerable<UsageOwner> Owners => _stretches.Keys;

    /// <summary>Reads what earlier processes left. What was shipped before the log was kept, or while it could not be written, is not known.</summary>
    /// <param name="sequence">The last batch that was acknowledged.</param>
    public static ShippedUnits Open(string folder, long sequence, long nowUnixMs)
    {
        var shipped = new ShippedUnits(Path.Combine(folder, FileName)) { _knownFromUnixMs = sequence == 0 ? long.MinValue : nowUnixMs };
        if (!shipped.TryRead(sequence))
        {
            shipped._stretches.Clear();
            shipped.TryRewrite(sequence);
        }
        return shipped;
    }

    /// <summary>Units shipped of those that arrived in <c>[from, to)</c>; null when that is not known to the unit.</summary>
    public long? Of(UsageOwner owner, long fromUnixMs, long toUnixMs)
    {
        if (fromUnixMs < _knownFromUnixMs) return null;
        var units = 0L;
        foreach (var stretch in _stretches.GetValueOrDefault(owner, []))
        {
            if (stretch.Last < fromUnixMs || stretch.First >= toUnixMs) continue;
            if (stretch.First < fromUnixMs || stretch.Last >= toUnixMs) return null;
            units += stretch.Units;
        }
        return units;
    }

    /// <summary>Writes down what a batch holds, before it is acknowledged; it counts once <see cref="Count"/> is called.</summary>
    public void Write(long sequence, IReadOnlyCollection<(UsageOwner Owner, Stretch Stretch)> batch, long nowUnixMs)
    {
        var text = new StringBuilder();
        foreach (var (owner, stretch) in batch) Line(text, sequence, owner, stretch);
        text.Append(CultureInfo.InvariantCulture, $"end {sequence}\n");
        try
        {
            var bytes = Encoding.ASCII.GetBytes(text.ToString());
            using var file = new FileStream(_path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
            file.Write(bytes);
            _bytes += bytes.Length;
        }
        catch (IOException)
        {
            _knownFromUnixMs = nowUnixMs;    // a full disk: the batch is counted all the same, only nobody here can say how much it was
        }
    }

    /// <param name="calendars">The quotas' of an owner, by which stretches may be put together; null = not known.</param>
    public void Count(long sequence, IReadOnlyCollection<(UsageOwner Owner, Stretch Stretch)> batch, Func<UsageOwner, IReadOnlyList<QuotaCalendar>?> calendars, long nowUnixMs)
    {
        foreach (var (owner, stretch) in batch)
            Add(owner, stretch, calendars(owner));
        if (_bytes < CompactBytes) return;
        foreach (var (owner, stretches) in _stretches.ToArray())
        {
            stretches.RemoveAll(stretch => stretch.Last < nowUnixMs - KeptMs);
            if (stretches.Count == 0) _stretches.Remove(owner);
        }
        TryRewrite(sequence);
    }

    private void Add(UsageOwner owner, in Stretch stretch, IReadOnlyList<QuotaCalendar>? calendars)
    {
        if (!_stretches.TryGetValue(owner, out var stretches)) _stretches[owner] = stretches = [];
        if (stretches.Count > 0 && calendars is not null)
        {
            var last = stretches[^1];
            var whole = new Stretch(Math.Min(last.First, stretch.First), Math.Max(last.Last, stretch.Last), last.Units + stretch.Units);
            if (calendars.All(calendar => calendar.At(whole.First).Contains(whole.Last)))
            {
                stretches[^1] = whole;
                return;
            }
        }
        stretches.Add(stretch);
    }

    private bool TryRead(long sequence)
    {
        try
        {
            if (!File.Exists(_path)) return false;
            var lines = File.ReadAllLines(_path);
            if (lines.Length == 0 || lines[0].Split(' ') is not [_, _, var from] || !lines[0].StartsWith(Version, StringComparison.Ordinal)) return false;
            _knownFromUnixMs = long.Parse(from, CultureInfo.InvariantCulture);
            var batch = new List<(UsageOwner, Stretch)>();
            var ended = -1L;
            foreach (var line in lines.Skip(1))
            {
                if (line.Split(' ') is ["end", var number])
                {
                    ended = long.Parse(number, CultureInfo.InvariantCulture);
                    if (ended > sequence) break;    // never acknowledged: it is still in the journal
                    foreach (var (owner, stretch) in batch) Add(owner, stretch, null);
                    batch.Clear();
                    if (ended == sequence) return true;
                }
                else if (line.Split(' ') is [_, var id, var first, var last, var units])
                {
                    batch.Add((UsageOwner.Parse(id), new Stretch(
                        long.Parse(first, CultureInfo.InvariantCulture), long.Parse(last, CultureInfo.InvariantCulture), long.Parse(units, CultureInfo.InvariantCulture))));
                }
                else
                {
                    batch.Clear();    // cut off while it was written
                }
            }
            return sequence == 0 && ended <= 0;
        }
        catch (Exception broken) when (broken is IOException or UnauthorizedAccessException or FormatException or OverflowException)
        {
            return false;
        }
        finally
        {
            _bytes = File.Exists(_path) ? new FileInfo(_path).Length : 0;
        }
    }

    private void TryRewrite(long sequence)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{Version} {_knownFromUnixMs}\n");
        foreach (var (owner, stretches) in _stretches)
            foreach (var stretch in stretches) Line(text, sequence, owner, stretch);
        text.Append(CultureInfo.InvariantCulture, $"end {sequence}\n");
        try
        {
            DurableFile.Replace(_path, Encoding.ASCII.GetBytes(text.ToString()));
            _bytes = text.Length;
        }
        catch (IOException)
        {
            _bytes = 0;    // tried again when as much has been added
        }
    }

    private static void Line(StringBuilder text, long sequence, UsageOwner owner, in Stretch stretch) =>
        text.Append(CultureInfo.InvariantCulture, $"{sequence} {owner} {stretch.First} {stretch.Last} {stretch.Units}\n");

    /// <summary>Units of calls that arrived from the first to the last of two moments.</summary>
    internal readonly record struct Stretch(long First, long Last, long Units);
}
