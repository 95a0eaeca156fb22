using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Contracts;

namespace Tollgate.Billing.Metering;

/// <summary>Calls alike in every column, within one minute, over all batches. The ground truth of what was used.</summary>
internal sealed class UsageMinute
{
    public required SubscriptionId Subscription { get; init; }

    /// <summary>Start of the minute, milliseconds since 1970 UTC.</summary>
    public required long Minute { get; init; }

    public required string Credential { get; init; }
    public required string Product { get; init; }
    public required string Route { get; init; }
    public required string Meter { get; init; }
    public required int Status { get; init; }
    public required AppId Application { get; init; }
    public long Calls { get; init; }
    public long Units { get; init; }
    public long BytesOut { get; init; }
    public long DurationUs { get; init; }
}

internal sealed class UsageMinuteMapping : IEntityTypeConfiguration<UsageMinute>
{
    public void Configure(EntityTypeBuilder<UsageMinute> usage)
    {
        // No foreign key: usage is never refused because the books do not know its subscription.
        usage.ToTable("usage_minutes");
        usage.HasKey(u => new { u.Subscription, u.Minute, u.Credential, u.Product, u.Route, u.Meter, u.Status });
        usage.Property(u => u.Credential).HasMaxLength(UsageText.Credential);
        usage.Property(u => u.Product).HasMaxLength(UsageText.Product);
        usage.Property(u => u.Route).HasMaxLength(UsageText.Route);
        usage.Property(u => u.Meter).HasMaxLength(UsageText.Meter);
    }
}
