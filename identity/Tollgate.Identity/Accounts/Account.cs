using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Contracts;
using Tollgate.Identity.Organisations;

namespace Tollgate.Identity.Accounts;

/// <summary>A person who may sign in. The user name is the e-mail address.</summary>
internal sealed class Account : IdentityUser<Guid>
{
    public required DateTimeOffset Created { get; init; }

    /// <summary>What the person may do beyond organisations of their own; null for customers.</summary>
    public PlatformRole? PlatformRole { get; set; }

    /// <summary>The organisation that the person looks at, of those they belong to; null = the first they joined.</summary>
    public OrganisationId? ChosenOrganisation { get; set; }

    /// <summary>The secret that the person's authenticator app shares, under the key ring; null = none.</summary>
    public string? TotpKey { get; set; }

    /// <summary>The newest step of time whose code was used: no code is good twice.</summary>
    public long? TotpStep { get; set; }

    public static Account New(string email, DateTimeOffset now) =>
        new() { Id = Guid.CreateVersion7(now), Email = email, UserName = email, Created = now, LockoutEnabled = true };
}

internal sealed class AccountMapping : IEntityTypeConfiguration<Account>
{
    public void Configure(EntityTypeBuilder<Account> account)
    {
        account.ToTable("accounts");
        account.Property(a => a.Id).ValueGeneratedNever();
        account.Property(a => a.PasswordHash).HasMaxLength(256);
        account.Property(a => a.SecurityStamp).HasMaxLength(64);
        account.Property(a => a.TotpKey).HasMaxLength(512);
        account.HasIndex(a => a.NormalizedEmail).HasDatabaseName("EmailIndex").IsUnique();
        account.HasOne<Organisation>().WithMany().HasForeignKey(a => a.ChosenOrganisation).OnDelete(DeleteBehavior.SetNull);
    }
}
