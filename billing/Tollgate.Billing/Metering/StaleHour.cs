using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Contracts;

namespace Tollgate.Billing.Metering;

/// <summary>
/// An hour whose sum does not hold (yet, or any more): readers take its minutes instead, and the rollup makes it again.
/// Written in the transaction of the minutes, however late they come, so that no reader ever misses one.
/// </summary>
internal sealed class StaleHour
{
    public required SubscriptionId Subscription { get; init; }
    public required long Hour { get; init; }
}

internal sealed class StaleHourMapping : IEntityTypeConfiguration<StaleHour>
{
    public void Configure(EntityTypeBuilder<StaleHour> stale)
    {
        stale.ToTable("usage_stale_hours");
        stale.HasKey(s => new { s.Subscription, s.Hour });
        stale.HasIndex(s => s.Hour);
    }
}
