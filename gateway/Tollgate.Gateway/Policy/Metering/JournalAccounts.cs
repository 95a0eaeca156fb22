using System.Buffers.Binary;
using System.Collections.Concurrent;
using Tollgate.Contracts;

namespace Tollgate.Gateway.Policy.Metering;

/// <summary>
/// The journal's dictionary, <c>accounts.log</c>: small numbers for who called what. Append-only, every entry framed as length, CRC-32C, payload,
/// and written before a record names it: what survives <c>kill -9</c> of a record survives of its account. The disk gets it before the records
/// of the same moment.
/// </summary>
internal sealed class JournalAccounts : IDisposable
{
    public const string FileName = "accounts.log";
    private const int FrameBytes = 8;
    private const int MaxPayload = 1 << 20;
    private const int WorthCompactingBytes = 1 << 20;

    private readonly ConcurrentDictionary<JournalAccount, int> _numbers = new(JournalAccount.Comparer.Instance);
    private readonly Dictionary<int, JournalAccount> _accounts = [];
    private readonly Dictionary<UsageOwner, HashSet<int>> _byOwner = [];
    private readonly string _path;
    private readonly Lock _gate = new();
    private FileStream _file;
    private int _last;
    private volatile bool _dirty;

    public JournalAccounts(string folder)
    {
        _path = Path.Combine(folder, FileName);
        _file = OpenFile();
        var valid = 0L;
        foreach (var (number, account, end) in Entries(_path))
        {
            Keep(number, account);
            valid = end;
        }

        if (_file.Length > valid) _file.SetLength(valid);       // an entry cut off by a crash, which no record can name
        _file.Position = valid;
    }

    /// <summary>The number of an account, written down first when it is new; 0 when the disk would not take it.</summary>
    public int NumberOf(in JournalAccount account, out IOException? failure)
    {
        failure = null;
        return _numbers.TryGetValue(account, out var number) ? number : Add(account, out failure);
    }

    public JournalAccount? Find(int number)
    {
        lock (_gate) return _accounts.TryGetValue(number, out var account) ? account : null;
    }

    /// <summary>All numbers that stand for one owner.</summary>
    public IReadOnlySet<int> Of(UsageOwner owner)
    {
        lock (_gate) return _byOwner.TryGetValue(owner, out var numbers) ? new HashSet<int>(numbers) : new HashSet<int>();
    }

    public IReadOnlySet<UsageOwner> Owners()
    {
        lock (_gate) return _byOwner.Keys.ToHashSet();
    }

    /// <summary>Drops entries that no record names any more, when that makes the file much smaller. Numbers stay as they are.</summary>
    public void Compact(IReadOnlySet<int> named)
    {
        lock (_gate)
        {
            if (_file.Length < WorthCompactingBytes || named.Count > _accounts.Count / 2) return;
            var kept = _accounts.Where(entry => named.Contains(entry.Key)).OrderBy(entry => entry.Key).ToArray();
            var content = new MemoryStream();
            foreach (var (number, account) in kept) content.Write(Frame(number, account));
            _file.Dispose();
            DurableFile.Replace(_path, content.ToArray());
            _file = OpenFile();
            _file.Position = _file.Length;
            _numbers.Clear();
            _accounts.Clear();
            _byOwner.Clear();
            foreach (var (number, account) in kept) Keep(number, account);
        }
    }

    /// <summary>Brings new entries to the disk. Before the records that name them.</summary>
    public void Flush()
    {
        if (!_dirty) return;
        _dirty = false;
        RandomAccess.FlushToDisk(_file.SafeFileHandle);
    }

    public void Dispose()
    {
        Flush();
        _file.Dispose();
    }

    /// <summary>The whole entries of a dictionary file, with the offset after each. Ends at the first that is cut off or damaged.</summary>
    public static IEnumerable<(int Number, JournalAccount Account, long End)> Entries(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var head = new byte[FrameBytes];
        while (file.ReadAtLeast(head, FrameBytes, throwOnEndOfStream: false) == FrameBytes)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(head);
            if (length is <= 0 or > MaxPayload) yield break;
            var payload = new byte[length];
            if (file.ReadAtLeast(payload, length, throwOnEndOfStream: false) < length) yield break;
            if (BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(4)) != JournalSegmentHeader.Crc(payload)) yield break;
            var (number, account) = Parse(payload);
            yield return (number, account, file.Position);
        }
    }

    private FileStream OpenFile() => new(_path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);

    private int Add(in JournalAccount account, out IOException? failure)
    {
        failure = null;
        lock (_gate)
        {
            if (_numbers.TryGetValue(account, out var known)) return known;
            var number = _last + 1;
            var end = _file.Position;
            try
            {
                _file.Write(Frame(number, account));
                _dirty = true;
            }
            catch (IOException full)
            {
                failure = full;
                _file.Position = end;
                _file.SetLength(end);
                return 0;
            }

            Keep(number, account);
            return number;
        }
    }

    private void Keep(int number, in JournalAccount account)
    {
        _last = Math.Max(_last, number);
        _accounts[number] = account;
        if (!_byOwner.TryGetValue(account.Owner, out var numbers)) _byOwner[account.Owner] = numbers = [];
        numbers.Add(number);
        _numbers[account] = number;
    }

    private static byte[] Frame(int number, in JournalAccount account)
    {
        var frame = new MemoryStream();
        frame.Write(new byte[FrameBytes]);
        using (var writer = new BinaryWriter(frame, System.Text.Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(number);
            writer.Write(account.Subscription.Value.ToByteArray());
            writer.Write(account.Application.Value.ToByteArray());
            writer.Write(account.ApplicationName);
            writer.Write(account.Credential);
            writer.Write(account.Product);
            writer.Write(account.Route);
            writer.Write(account.Meter);
        }

        var bytes = frame.ToArray();
        BinaryPrimitives.WriteInt32LittleEndian(bytes, bytes.Length - FrameBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), JournalSegmentHeader.Crc(bytes.AsSpan(FrameBytes)));
        return bytes;
    }

    private static (int Number, JournalAccount Account) Parse(byte[] payload)
    {
        using var reader = new BinaryReader(new MemoryStream(payload));
        var number = reader.ReadInt32();
        return (number, new JournalAccount(
            new SubscriptionId(new Guid(reader.ReadBytes(16))),
            new AppId(new Guid(reader.ReadBytes(16))),
            reader.ReadString(), reader.ReadString(), reader.ReadString(), reader.ReadString(), reader.ReadString()));
    }
}
