using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Tollgate.Publishing.Fragments;

/// <summary>How the routes of one service stand on one gateway, as it said last. With an empty service: that the gateway was heard.</summary>
internal sealed class GatewayStanding
{
    public const int GatewayLength = 64;
    public const int ReasonsLength = 8_000;

    public required string Gateway { get; init; }
    public required string Service { get; init; }

    /// <summary>The newest that it knows of.</summary>
    public required long Version { get; set; }

    /// <summary>The one that serves; null = none.</summary>
    public required long? InForce { get; set; }

    /// <summary>Why the newest does not serve, one a line.</summary>
    public required string Reasons { get; set; }

    public required DateTimeOffset At { get; set; }
}

internal sealed class GatewayStandingMapping : IEntityTypeConfiguration<GatewayStanding>
{
    public void Configure(EntityTypeBuilder<GatewayStanding> standing)
    {
        standing.ToTable("gateway_standings");
        standing.HasKey(s => new { s.Gateway, s.Service });
        standing.Property(s => s.Gateway).HasMaxLength(GatewayStanding.GatewayLength);
        standing.Property(s => s.Service).HasMaxLength(FragmentRules.NameLength);
        standing.Property(s => s.Reasons).HasMaxLength(GatewayStanding.ReasonsLength);
        standing.HasIndex(s => s.Service);
    }
}
