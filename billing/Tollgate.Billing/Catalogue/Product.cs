using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Tollgate.Billing.Catalogue;

/// <summary>What is sold: a set of routes, by name, with their OpenAPI document.</summary>
internal sealed class Product
{
    public required ProductId Id { get; init; }

    /// <summary>What routes call it. Fixed for life: routes and entitlements hold it.</summary>
    public required string Name { get; init; }

    public required string Title { get; set; }
    public required string Description { get; set; }

    /// <summary>Where its calls go on the gateway, for examples: <c>/weather/v1</c>.</summary>
    public required string BasePath { get; set; }

    public required string OpenApi { get; set; }

    /// <summary>What OAuth clients of subscribed applications may ask for.</summary>
    public string[] Scopes { get; set; } = [];
    public required bool IsPublished { get; set; }
    public required DateTimeOffset CreatedAt { get; init; }
    public List<Plan> Plans { get; } = [];
}

internal sealed class ProductMapping : IEntityTypeConfiguration<Product>
{
    public void Configure(EntityTypeBuilder<Product> product)
    {
        product.ToTable("products");
        product.Property(p => p.Id).ValueGeneratedNever();
        product.Property(p => p.Name).HasMaxLength(CatalogueRules.NameLength);
        product.Property(p => p.Title).HasMaxLength(CatalogueRules.TitleLength);
        product.Property(p => p.Description).HasMaxLength(CatalogueRules.DescriptionLength);
        product.Property(p => p.BasePath).HasMaxLength(CatalogueRules.PathLength);
        product.HasIndex(p => p.Name).IsUnique();
    }
}
