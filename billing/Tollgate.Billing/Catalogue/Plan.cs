using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Tollgate.Billing.Catalogue;

/// <summary>An offer of a product. What it promises and costs is in its versions.</summary>
internal sealed class Plan
{
    public required PlanId Id { get; init; }
    public required ProductId ProductId { get; init; }
    public required string Name { get; init; }
    public required string Title { get; set; }
    public required string Description { get; set; }
    public required int Position { get; set; }
    public required bool RequiresApproval { get; set; }
    public required bool IsPublic { get; set; }
    public required bool IsPopular { get; set; }

    /// <summary>No longer offered; subscribers stay.</summary>
    public bool IsArchived { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }
    public Product Product { get; init; } = null!;
    public List<PlanVersion> Versions { get; } = [];
}

internal sealed class PlanMapping : IEntityTypeConfiguration<Plan>
{
    public void Configure(EntityTypeBuilder<Plan> plan)
    {
        plan.ToTable("plans");
        plan.Property(p => p.Id).ValueGeneratedNever();
        plan.Property(p => p.Name).HasMaxLength(CatalogueRules.NameLength);
        plan.Property(p => p.Title).HasMaxLength(CatalogueRules.TitleLength);
        plan.Property(p => p.Description).HasMaxLength(CatalogueRules.DescriptionLength);
        plan.HasIndex(p => new { p.ProductId, p.Name }).IsUnique();
        plan.HasOne(p => p.Product).WithMany(p => p.Plans).HasForeignKey(p => p.ProductId).OnDelete(DeleteBehavior.Cascade);
    }
}
