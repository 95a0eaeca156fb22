using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Audit;

namespace Tollgate.Identity.SecondFactor;

/// <summary>A browser that is asked for no code for a while, by the digest of what its cookie holds.</summary>
internal sealed class RememberedDevice
{
    public required string Sha256 { get; init; }
    public required Guid Account { get; init; }

    /// <summary>The account's security stamp then: another password forgets the device.</summary>
    public required string Stamp { get; init; }
    public string? Agent { get; init; }
    public required DateTimeOffset Created { get; init; }
    public required DateTimeOffset Expires { get; init; }
}

internal sealed class RememberedDeviceMapping : IEntityTypeConfiguration<RememberedDevice>
{
    public void Configure(EntityTypeBuilder<RememberedDevice> device)
    {
        device.ToTable("remembered_devices");
        device.HasKey(d => d.Sha256);
        device.Property(d => d.Sha256).HasMaxLength(64).IsFixedLength();
        device.Property(d => d.Stamp).HasMaxLength(64);
        device.Property(d => d.Agent).HasMaxLength(Caller.MostOfAgent);
        device.HasIndex(d => d.Account);
        device.HasIndex(d => d.Expires);
        device.HasOne<Account>().WithMany().HasForeignKey(d => d.Account).OnDelete(DeleteBehavior.Cascade);
    }
}
