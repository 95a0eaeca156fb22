using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Identity.Accounts;

namespace Tollgate.Identity.SecondFactor;

/// <summary>A recovery code by its digest, good for one sign-in.</summary>
internal sealed class RecoveryCode
{
    public required Guid Account { get; init; }

    /// <summary>64 lower-case hex digits.</summary>
    public required string Sha256 { get; init; }
    public DateTimeOffset? UsedAt { get; set; }
}

internal sealed class RecoveryCodeMapping : IEntityTypeConfiguration<RecoveryCode>
{
    public void Configure(EntityTypeBuilder<RecoveryCode> code)
    {
        code.ToTable("recovery_codes");
        code.HasKey(c => new { c.Account, c.Sha256 });
        code.Property(c => c.Sha256).HasMaxLength(64).IsFixedLength();
        code.HasOne<Account>().WithMany().HasForeignKey(c => c.Account).OnDelete(DeleteBehavior.Cascade);
    }
}
