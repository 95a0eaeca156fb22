using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Identity.Organisations;

namespace Tollgate.Identity.Applications;

/// <summary>What calls. A deleted one keeps its row for ten years, because usage and invoices still name it.</summary>
internal sealed class Application
{
    public const int MaxNameLength = 80;
    public const int MaxDescriptionLength = 500;

    public required AppId Id { get; init; }
    public required OrganisationId Organisation { get; init; }
    public required string Name { get; set; }
    public string? Description { get; set; }
    public required DateTimeOffset Created { get; init; }
    public DateTimeOffset? DeletedAt { get; set; }

    /// <summary>Since when the platform refuses it, others of its organisation or not.</summary>
    public DateTimeOffset? SuspendedAt { get; set; }

    public ApplicationItem ToFeedItem(Organisation owner) => new(Id, Organisation, Name, owner.Name, owner.SuspendedAt is not null, SuspendedAt is not null);
}

internal sealed class ApplicationMapping : IEntityTypeConfiguration<Application>
{
    public void Configure(EntityTypeBuilder<Application> application)
    {
        application.ToTable("applications");
        application.Property(a => a.Id).ValueGeneratedNever();
        application.Property(a => a.Name).HasMaxLength(Application.MaxNameLength);
        application.Property(a => a.Description).HasMaxLength(Application.MaxDescriptionLength);
        application.HasIndex(a => new { a.Organisation, a.Name }).IsUnique().HasFilter("\"DeletedAt\" IS NULL");
        application.HasOne<Organisation>().WithMany().HasForeignKey(a => a.Organisation).OnDelete(DeleteBehavior.Restrict);
    }
}
