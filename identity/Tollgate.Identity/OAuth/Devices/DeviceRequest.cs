using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Protocol;

namespace Tollgate.Identity.OAuth.Devices;

/// <summary>A device that waits for a person to agree on another screen (RFC 8628), by the digests of its two codes.</summary>
internal sealed class DeviceRequest
{
    public required string Sha256 { get; init; }
    public required string UserCodeSha256 { get; init; }
    public required string ClientId { get; init; }
    public required string[] Scopes { get; init; }
    public string[] Resources { get; init; } = [];

    /// <summary>What the device calls itself, and where it asked from: shown to the person before they agree.</summary>
    public string? Device { get; init; }
    public string? Address { get; init; }
    public required DateTimeOffset Created { get; init; }
    public required DateTimeOffset Expires { get; init; }
    public DateTimeOffset? Polled { get; set; }

    /// <summary>Grows with every poll that comes too soon.</summary>
    public required int IntervalSeconds { get; set; }

    /// <summary>What came of the person's consent; null = none yet, or refused.</summary>
    public Guid? Family { get; set; }
    public DateTimeOffset? RefusedAt { get; set; }
    public DateTimeOffset? ConsumedAt { get; set; }
}

internal sealed class DeviceRequestMapping : IEntityTypeConfiguration<DeviceRequest>
{
    public void Configure(EntityTypeBuilder<DeviceRequest> request)
    {
        request.ToTable("device_requests");
        request.HasKey(r => r.Sha256);
        request.Property(r => r.Sha256).HasMaxLength(64).IsFixedLength();
        request.Property(r => r.UserCodeSha256).HasMaxLength(64).IsFixedLength();
        request.Property(r => r.ClientId).HasMaxLength(InputLimits.ClientId);
        request.Property(r => r.Device).HasMaxLength(256);
        request.Property(r => r.Address).HasMaxLength(64);
        request.HasIndex(r => r.UserCodeSha256).IsUnique();
        request.HasIndex(r => r.Expires);
        request.HasOne<OAuthClient>().WithMany().HasForeignKey(r => r.ClientId).OnDelete(DeleteBehavior.Cascade);
    }
}
