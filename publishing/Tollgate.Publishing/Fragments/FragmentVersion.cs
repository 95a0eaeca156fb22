using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Tollgate.Publishing.Fragments;

/// <summary>One version of a service's routes. Never changes, but for whether it is the one in force.</summary>
internal sealed class FragmentVersion
{
    public required string Service { get; init; }

    /// <summary>From 1 on, without gaps.</summary>
    public required long Number { get; init; }

    /// <summary>As it was sent; empty when the service took its routes away.</summary>
    public required string Content { get; init; }

    public required string Sha256 { get; init; }
    public required int Routes { get; init; }
    public required FragmentChange Change { get; init; }

    /// <summary>Of a rollback: the version whose words these are.</summary>
    public long? From { get; init; }

    public required string By { get; init; }
    public required DateTimeOffset At { get; init; }

    /// <summary>Whether it serves. At most one of a service does.</summary>
    public required bool IsInForce { get; set; }
}

/// <summary>What somebody did.</summary>
public enum FragmentChange
{
    Published,
    RolledBack,
    Removed,
}

internal sealed class FragmentVersionMapping : IEntityTypeConfiguration<FragmentVersion>
{
    public void Configure(EntityTypeBuilder<FragmentVersion> version)
    {
        version.ToTable("fragment_versions");
        version.HasKey(v => new { v.Service, v.Number });
        version.Property(v => v.Service).HasMaxLength(FragmentRules.NameLength);
        version.Property(v => v.Sha256).HasMaxLength(64);
        version.Property(v => v.Change).HasConversion<string>().HasMaxLength(16);
        version.Property(v => v.By).HasMaxLength(320);
        version.HasIndex(v => v.IsInForce);
    }
}
