using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Tollgate.Billing.Storage;

/// <summary>Something that is done once in the life of a database, such as planting the demo catalogue.</summary>
internal sealed class Milestone
{
    public required string Name { get; init; }
    public required DateTimeOffset At { get; init; }
}

internal sealed class MilestoneMapping : IEntityTypeConfiguration<Milestone>
{
    public void Configure(EntityTypeBuilder<Milestone> milestone)
    {
        milestone.ToTable("milestones");
        milestone.HasKey(m => m.Name);
        milestone.Property(m => m.Name).HasMaxLength(64);
    }
}
