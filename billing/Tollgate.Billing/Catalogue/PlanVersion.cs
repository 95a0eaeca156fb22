using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Billing.Rating;
using Tollgate.Billing.Storage;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;

namespace Tollgate.Billing.Catalogue;

/// <summary>The terms of a plan from one publication to the next. Never changed: subscribers and invoices refer to it.</summary>
internal sealed class PlanVersion
{
    public required PlanVersionId Id { get; init; }
    public required PlanId PlanId { get; init; }

    /// <summary>1, 2, 3 … within the plan.</summary>
    public required int Number { get; init; }

    public required string Currency { get; init; }
    public required IReadOnlyList<Price> Prices { get; init; }
    public required IReadOnlyList<RateLimit> Limits { get; init; }
    public required IReadOnlyList<PlanQuota> Quotas { get; init; }
    public required LedgerLoss OnLedgerLoss { get; init; }
    public required IReadOnlyList<ConcurrencyLimit> Concurrency { get; init; }
    public required decimal? SpendCap { get; init; }
    public required DateTimeOffset PublishedAt { get; init; }
    public Plan Plan { get; init; } = null!;

    public PlanTerms Terms => new(Currency, Prices, Limits, Quotas, OnLedgerLoss, Concurrency.Count == 0 ? null : Concurrency, SpendCap);

    public static PlanVersion Of(PlanId plan, int number, PlanTerms terms, DateTimeOffset at) => new()
    {
        Id = PlanVersionId.New(),
        PlanId = plan,
        Number = number,
        Currency = terms.Currency,
        Prices = terms.Prices,
        Limits = terms.Limits,
        Quotas = terms.Quotas,
        OnLedgerLoss = terms.OnLedgerLoss,
        Concurrency = terms.Concurrency ?? [],
        SpendCap = terms.SpendCap,
        PublishedAt = at,
    };
}

internal sealed class PlanVersionMapping : IEntityTypeConfiguration<PlanVersion>
{
    public void Configure(EntityTypeBuilder<PlanVersion> version)
    {
        version.ToTable("plan_versions");
        version.Property(v => v.Id).ValueGeneratedNever();
        version.Property(v => v.Currency).HasMaxLength(3);
        version.Property(v => v.Prices).HasJsonConversion(BillingJson.Default.IReadOnlyListPrice);
        version.Property(v => v.Limits).HasJsonConversion(BillingJson.Default.IReadOnlyListRateLimit);
        version.Property(v => v.Quotas).HasJsonConversion(BillingJson.Default.IReadOnlyListPlanQuota);
        version.Property(v => v.Concurrency).HasJsonConversion(BillingJson.Default.IReadOnlyListConcurrencyLimit).HasDefaultValueSql("'[]'");
        version.Property(v => v.OnLedgerLoss).HasConversion<string>().HasMaxLength(16);
        version.Ignore(v => v.Terms);
        version.HasIndex(v => new { v.PlanId, v.Number }).IsUnique();
        version.HasOne(v => v.Plan).WithMany(p => p.Versions).HasForeignKey(v => v.PlanId).OnDelete(DeleteBehavior.Cascade);
    }
}
