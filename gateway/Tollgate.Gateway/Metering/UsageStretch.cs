using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Tollgate.Contracts;
using Tollgate.Contracts.Usage;
using Tollgate.Gateway.Policy.Metering;

namespace Tollgate.Gateway.Metering;

/// <summary>Consecutive journal records, summed up as the batch that follows a position, and the position after it.</summary>
internal sealed record UsageStretch(UsageBatch Batch, JournalPosition Next, int Records);

/// <summary>Cuts the journal into stretches. What it cuts is decided by the position and the records alone; when, by the calls that have ended.</summary>
internal sealed class UsageSealer(Journal journal, TimeProvider time, int maxRecords = 20_000, int maxRows = 5_000)
{
    /// <summary>How long a stretch waits for calls that are still being answered. They are counted in any case; their bytes and duration may miss the batch.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly JournalRecord[] _buffer = new JournalRecord[1024];
    private JournalCursor _waitingAt;
    private long _waitingSince;

    /// <summary>Records passed over because the dictionary does not know whose they are: a power failure took the entry, as it may take the last 100 ms.</summary>
    public long Nameless { get; private set; }

    /// <summary>The next stretch, or null when there is nothing to seal yet.</summary>
    /// <param name="waitForEnds">False on the way out: calls that have not ended are sealed as they are.</param>
    public UsageStretch? Seal(bool waitForEnds = true)
    {
        var from = journal.Acknowledged;
        if (!journal.HasAfter(from.Cursor)) return null;
        var sums = new Dictionary<(int Account, ushort Status, long Minute), Sum>();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Convert.FromHexString(from.Hash));
        var cursor = from.Cursor;
        var records = 0;
        foreach (var segment in journal.Segments)
        {
            if (segment.Number < cursor.Segment) continue;
            if (segment.Number > cursor.Segment) cursor = new(segment.Number, 0);
            while (Take(segment, ref cursor, waitForEnds, sums, hash, ref records)) { }
            if (cursor.Index < segment.Records) break;
        }

        if (records == 0) return null;
        var next = new JournalPosition(from.Sequence + 1, Convert.ToHexStringLower(hash.GetHashAndReset()), cursor);
        return new(new(journal.NodeId, journal.Epoch, next.Sequence, from.Hash, next.Hash, Rows(sums)), next, records);
    }

    /// <summary>Takes what one read gives; false when the stretch or the segment ends here.</summary>
    private bool Take(
        JournalSegment segment, ref JournalCursor cursor, bool waitForEnds,
        Dictionary<(int Account, ushort Status, long Minute), Sum> sums, IncrementalHash hash, ref int records)
    {
        var read = segment.Read(cursor.Index, _buffer.AsSpan(0, Math.Min(_buffer.Length, maxRecords - records)));
        for (var i = 0; i < read; i++)
        {
            ref readonly var record = ref _buffer[i];
            if (record.IsWhole)
            {
                if (waitForEnds && !record.HasEnded && segment.IsMapped && IsWorthWaitingFor(cursor, record)) return false;
                var key = (record.Account, record.Status, record.MinuteUnixMs);
                if (!sums.ContainsKey(key))
                {
                    if (sums.Count == maxRows) return false;
                    if (journal.FindAccount(record.Account) is null)
                    {
                        Nameless++;
                        cursor = cursor with { Index = cursor.Index + 1 };
                        continue;
                    }
                }

                ref var sum = ref CollectionsMarshal.GetValueRefOrAddDefault(sums, key, out _);
                sum.Calls++;
                sum.Units += record.Units;
                sum.BytesOut += record.BytesOut;
                sum.DurationUs += record.DurationUs;
                hash.AppendData(MemoryMarshal.AsBytes(_buffer.AsSpan(i, 1))[..JournalRecord.SealedBytes]);
                records++;
            }

            cursor = cursor with { Index = cursor.Index + 1 };
        }

        return read > 0 && records < maxRecords;
    }

    /// <summary>By the clock that stamped it, and by how long we have stood here: a clock that was set back must not stop the shipping.</summary>
    private bool IsWorthWaitingFor(JournalCursor at, in JournalRecord record)
    {
        if (record.ArrivedUnixMs <= time.GetUtcNow().ToUnixTimeMilliseconds() - (long)Patience.TotalMilliseconds) return false;
        if (_waitingAt == at) return time.GetElapsedTime(_waitingSince) < Patience;
        _waitingAt = at;
        _waitingSince = time.GetTimestamp();
        return true;
    }

    /// <summary>Accounts may differ in what a row does not show, such as an application's name before and after it changed.</summary>
    private List<UsageRow> Rows(Dictionary<(int Account, ushort Status, long Minute), Sum> sums)
    {
        var rows = new Dictionary<RowKey, Sum>(sums.Count);
        foreach (var ((number, status, minute), add) in sums)
        {
            var account = journal.FindAccount(number)!.Value;
            ref var sum = ref CollectionsMarshal.GetValueRefOrAddDefault(
                rows, new(account.Subscription, account.Application, account.Credential, account.Product, account.Route, account.Meter, status, minute), out _);
            sum.Calls += add.Calls;
            sum.Units += add.Units;
            sum.BytesOut += add.BytesOut;
            sum.DurationUs += add.DurationUs;
        }

        return [.. rows.Select(row => new UsageRow(
            row.Key.Subscription, row.Key.Application, row.Key.Credential, row.Key.Product, row.Key.Route, row.Key.Meter, row.Key.Status, row.Key.Minute,
            row.Value.Calls, row.Value.Units, row.Value.BytesOut, row.Value.DurationUs))];
    }

    private struct Sum
    {
        public long Calls;
        public long Units;
        public long BytesOut;
        public long DurationUs;
    }

    private readonly record struct RowKey(
        SubscriptionId Subscription, AppId Application, string Credential, string Product, string Route, string Meter, int Status, long Minute);
}
