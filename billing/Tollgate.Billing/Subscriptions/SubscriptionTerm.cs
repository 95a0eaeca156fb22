using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Billing.Catalogue;
using Tollgate.Contracts;

namespace Tollgate.Billing.Subscriptions;

/// <summary>
/// From when to when a subscription was on a plan version. Usage is rated with the version of its own minute, so both ends are whole minutes:
/// the minute of a change belongs to the new version.
/// </summary>
internal sealed class SubscriptionTerm
{
    public required SubscriptionId SubscriptionId { get; init; }
    public required DateTimeOffset From { get; init; }

    /// <summary>Null while it is in force.</summary>
    public DateTimeOffset? To { get; set; }

    public required PlanVersionId PlanVersionId { get; set; }
    public PlanVersion PlanVersion { get; init; } = null!;
}

internal sealed class SubscriptionTermMapping : IEntityTypeConfiguration<SubscriptionTerm>
{
    public void Configure(EntityTypeBuilder<SubscriptionTerm> term)
    {
        term.ToTable("subscription_terms");
        term.HasKey(t => new { t.SubscriptionId, t.From });
        term.HasOne<Subscription>().WithMany(s => s.Terms).HasForeignKey(t => t.SubscriptionId).OnDelete(DeleteBehavior.Cascade);
        term.HasOne(t => t.PlanVersion).WithMany().HasForeignKey(t => t.PlanVersionId).OnDelete(DeleteBehavior.Restrict);
    }
}
