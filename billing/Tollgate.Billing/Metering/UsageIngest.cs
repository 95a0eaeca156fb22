using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Tollgate.Billing.Storage;
using Tollgate.Contracts.Usage;

namespace Tollgate.Billing.Metering;

/// <summary>
/// Counts a batch, once: its name and its effect are written in one transaction. Nothing else is a reason not to count it;
/// a chain that does not fit is noted, and usage of a subscription that the books do not know is kept.
/// </summary>
internal sealed partial class UsageIngest(IDbContextFactory<BillingDb> databases, TimeProvider time, BillingMetrics metrics, ILogger<UsageIngest> logger)
{
    private static readonly string NoHash = new('0', 64);

    /// <summary>The receipt; null when another batch was counted under this name, as two gateways with one data folder make them.</summary>
    public async Task<UsageReceipt?> IngestAsync(UsageBatch batch, CancellationToken cancel)
    {
        var minutes = UsageMinutes.Merge(batch.Rows);
        var (node, epoch) = (UsageText.Fit(batch.NodeId, UsageText.Node), UsageText.Fit(batch.JournalEpoch, UsageText.Node));
        await using var db = await databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);

        var chain = await ChainAsync(db, node, epoch, batch, cancel);
        var calls = minutes.Sum(m => m.Calls);
        var claim = $$"""
            INSERT INTO {{db.Table<IngestedBatch>()}}
            ("NodeId", "JournalEpoch", "Sequence", "PreviousHash", "Hash", "Chain", "Rows", "Calls", "Units", "ReceivedAt")
            VALUES ({0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}, {9}) ON CONFLICT DO NOTHING
            """;
        var claimed = await db.Database.ExecuteSqlRawAsync(claim,
            [node, epoch, batch.Sequence, Lower(batch.PreviousHash), Lower(batch.Hash), chain.ToString(), batch.Rows.Count, calls,
                minutes.Sum(m => m.Units), Moment(db, time.GetUtcNow())], cancel);
        if (claimed == 0)
        {
            if (await HashAsync(db, node, epoch, batch.Sequence, cancel) != Lower(batch.Hash))
            {
                Log.NameReused(logger, node, epoch, batch.Sequence);
                metrics.Batch("conflict", 0);
                return null;
            }

            metrics.Batch("duplicate", 0);
            return new UsageReceipt(Duplicate: true);
        }

        await UsageMinutes.AddAsync(db, minutes, cancel);
        await transaction.CommitAsync(cancel);

        if (chain != BatchChain.Whole) Log.ChainBroken(logger, node, epoch, batch.Sequence, chain);
        metrics.Batch(chain switch { BatchChain.Gap => "gap", BatchChain.Mismatch => "mismatch", _ => "counted" }, calls);
        return new UsageReceipt(Duplicate: false);
    }

    private static async Task<BatchChain> ChainAsync(BillingDb db, string node, string epoch, UsageBatch batch, CancellationToken cancel)
    {
        var before = batch.Sequence == 1 ? NoHash : await HashAsync(db, node, epoch, batch.Sequence - 1, cancel);
        if (before is null) return BatchChain.Gap;
        return before == Lower(batch.PreviousHash) ? BatchChain.Whole : BatchChain.Mismatch;
    }

    private static Task<string?> HashAsync(BillingDb db, string node, string epoch, long sequence, CancellationToken cancel) =>
        db.UsageBatches.Where(b => b.NodeId == node && b.JournalEpoch == epoch && b.Sequence == sequence).Select(b => b.Hash).SingleOrDefaultAsync(cancel);

    private static string Lower(string hash) => hash.ToLowerInvariant();

    /// <summary>A moment as the column holds it.</summary>
    private static object Moment(BillingDb db, DateTimeOffset at) => db.Database.IsNpgsql() ? at : at.UtcTicks;

    private static partial class Log
    {
        [LoggerMessage(4201, LogLevel.Warning, "Usage batch {Sequence} of node {Node}, journal {Epoch}, was counted, but its chain shows a {Chain}")]
        public static partial void ChainBroken(ILogger logger, string node, string epoch, long sequence, BatchChain chain);

        [LoggerMessage(4202, LogLevel.Error, "Usage batch {Sequence} of node {Node}, journal {Epoch}, came again with another content and was not counted")]
        public static partial void NameReused(ILogger logger, string node, string epoch, long sequence);
    }
}
