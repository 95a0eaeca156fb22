using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;

namespace Tollgate.Identity.Organisations;

/// <summary>An account's place in an organisation.</summary>
internal sealed class Membership
{
    public required OrganisationId Organisation { get; init; }
    public required Guid Account { get; init; }
    public required OrganisationRole Role { get; set; }
    public required DateTimeOffset Since { get; init; }
}

internal sealed class MembershipMapping : IEntityTypeConfiguration<Membership>
{
    public void Configure(EntityTypeBuilder<Membership> membership)
    {
        membership.ToTable("memberships");
        membership.HasKey(m => new { m.Organisation, m.Account });
        membership.HasIndex(m => m.Account);
        membership.HasOne<Organisation>().WithMany().HasForeignKey(m => m.Organisation).OnDelete(DeleteBehavior.Cascade);
        membership.HasOne<Account>().WithMany().HasForeignKey(m => m.Account).OnDelete(DeleteBehavior.Cascade);
    }
}
