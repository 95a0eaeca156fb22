using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Billing.Catalogue;
using Tollgate.Contracts;

namespace Tollgate.Billing.Subscriptions;

/// <summary>An application's right to call a product on the terms of one plan version.</summary>
internal sealed class Subscription
{
    public required SubscriptionId Id { get; init; }
    public required OrganisationId Organisation { get; init; }
    public required AppId Application { get; init; }
    public required ProductId ProductId { get; init; }
    public required PlanVersionId PlanVersionId { get; set; }
    public required SubscriptionState State { get; set; }

    /// <summary>When its first billing period began, on a whole minute, so that a minute of usage never lies in two periods.</summary>
    public required DateTimeOffset Anchor { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was paused or cancelled; null while it runs.</summary>
    public DateTimeOffset? StoppedAt { get; set; }

    /// <summary>Counts its changes, so that two at the same time do not overwrite each other.</summary>
    public int Revision { get; set; }

    public Product Product { get; init; } = null!;
    public PlanVersion PlanVersion { get; set; } = null!;
    public List<SubscriptionTerm> Terms { get; } = [];
}

/// <summary>Where a subscription stands.</summary>
public enum SubscriptionState
{
    /// <summary>Waits for an approval; nothing is admitted, nothing is owed.</summary>
    Pending,

    /// <summary>Calls are admitted.</summary>
    Active,

    /// <summary>Calls are refused until it is resumed.</summary>
    Paused,

    /// <summary>Over for good.</summary>
    Cancelled,
}

internal sealed class SubscriptionMapping : IEntityTypeConfiguration<Subscription>
{
    public void Configure(EntityTypeBuilder<Subscription> subscription)
    {
        subscription.ToTable("subscriptions");
        subscription.Property(s => s.Id).ValueGeneratedNever();
        subscription.Property(s => s.State).HasConversion<string>().HasMaxLength(16);
        subscription.Property(s => s.Revision).IsConcurrencyToken();
        subscription.HasIndex(s => new { s.Application, s.ProductId }).IsUnique().HasFilter("\"State\" <> 'Cancelled'");
        subscription.HasIndex(s => s.Organisation);
        subscription.HasOne(s => s.Product).WithMany().HasForeignKey(s => s.ProductId).OnDelete(DeleteBehavior.Restrict);
        subscription.HasOne(s => s.PlanVersion).WithMany().HasForeignKey(s => s.PlanVersionId).OnDelete(DeleteBehavior.Restrict);
    }
}
