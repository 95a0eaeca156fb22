using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Organisations;

namespace Tollgate.Identity.ManagementTokens;

/// <summary>A token of the management API by its digest; the token itself was shown once and is kept nowhere.</summary>
internal sealed class ManagementToken
{
    public required Guid Id { get; init; }

    /// <summary>The beginning that names it: <c>tg_pat_</c> and 8 characters.</summary>
    public required string Prefix { get; init; }

    /// <summary>64 lower-case hex digits.</summary>
    public required string Sha256 { get; init; }
    public required string Name { get; init; }
    public required OrganisationId Organisation { get; init; }

    /// <summary>Whose it is, and with whose rights it acts; null = the organisation's own.</summary>
    public Guid? Account { get; init; }

    /// <summary>The role of an organisation's own token; a person's has the role that the person has at that moment.</summary>
    public OrganisationRole? Role { get; init; }
    public required string[] Scopes { get; init; }
    public required Guid CreatedBy { get; init; }
    public required DateTimeOffset Created { get; init; }
    public required DateTimeOffset Expires { get; init; }

    /// <summary>To the minute.</summary>
    public DateTimeOffset? LastUsed { get; set; }
    public DateTimeOffset? RevokedAt { get; set; }
}

internal sealed class ManagementTokenMapping : IEntityTypeConfiguration<ManagementToken>
{
    public void Configure(EntityTypeBuilder<ManagementToken> token)
    {
        token.ToTable("management_tokens");
        token.Property(t => t.Id).ValueGeneratedNever();
        token.Property(t => t.Prefix).HasMaxLength(16);
        token.Property(t => t.Sha256).HasMaxLength(64).IsFixedLength();
        token.Property(t => t.Name).HasMaxLength(NewManagementToken.MaxNameLength);
        token.HasIndex(t => t.Prefix).IsUnique();
        token.HasIndex(t => t.Organisation);
        token.HasIndex(t => t.Account);
        token.HasOne<Organisation>().WithMany().HasForeignKey(t => t.Organisation).OnDelete(DeleteBehavior.Cascade);
        token.HasOne<Account>().WithMany().HasForeignKey(t => t.Account).OnDelete(DeleteBehavior.Cascade);
    }
}
