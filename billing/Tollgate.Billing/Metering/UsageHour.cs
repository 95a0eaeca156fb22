using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Contracts;

namespace Tollgate.Billing.Metering;

/// <summary>The sum of an hour's minutes, kept so that months are quick to read. Can be made again from the minutes at any time.</summary>
internal sealed class UsageHour
{
    public required SubscriptionId Subscription { get; init; }

    /// <summary>Start of the hour, milliseconds since 1970 UTC.</summary>
    public required long Hour { get; init; }

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

internal sealed class UsageHourMapping : IEntityTypeConfiguration<UsageHour>
{
    public void Configure(EntityTypeBuilder<UsageHour> usage)
    {
        usage.ToTable("usage_hours");
        usage.HasKey(u => new { u.Subscription, u.Hour, u.Credential, u.Product, u.Route, u.Meter, u.Status });
        usage.Property(u => u.Credential).HasMaxLength(UsageText.Credential);
        usage.Property(u => u.Product).HasMaxLength(UsageText.Product);
        usage.Property(u => u.Route).HasMaxLength(UsageText.Route);
        usage.Property(u => u.Meter).HasMaxLength(UsageText.Meter);
    }
}
