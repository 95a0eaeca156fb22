using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Tollgate.Billing.Metering;

/// <summary>A batch that was counted, and so never will be again.</summary>
internal sealed class IngestedBatch
{
    public required string NodeId { get; init; }
    public required string JournalEpoch { get; init; }
    public required long Sequence { get; init; }
    public required string PreviousHash { get; init; }
    public required string Hash { get; init; }
    public required BatchChain Chain { get; init; }
    public required int Rows { get; init; }
    public required long Calls { get; init; }
    public required long Units { get; init; }
    public required DateTimeOffset ReceivedAt { get; init; }
}

/// <summary>How a batch follows the one before. A broken chain is counted, and looked into.</summary>
internal enum BatchChain
{
    Whole,

    /// <summary>The batch before has not come.</summary>
    Gap,

    /// <summary>The batch before has another hash than this one says.</summary>
    Mismatch,
}

internal sealed class IngestedBatchMapping : IEntityTypeConfiguration<IngestedBatch>
{
    public void Configure(EntityTypeBuilder<IngestedBatch> batch)
    {
        batch.ToTable("usage_batches");
        batch.HasKey(b => new { b.NodeId, b.JournalEpoch, b.Sequence });
        batch.Property(b => b.NodeId).HasMaxLength(UsageText.Node);
        batch.Property(b => b.JournalEpoch).HasMaxLength(UsageText.Node);
        batch.Property(b => b.Sequence).ValueGeneratedNever();
        batch.Property(b => b.PreviousHash).HasMaxLength(64);
        batch.Property(b => b.Hash).HasMaxLength(64);
        batch.Property(b => b.Chain).HasConversion<string>().HasMaxLength(16);
    }
}
