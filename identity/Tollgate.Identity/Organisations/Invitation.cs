using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;

namespace Tollgate.Identity.Organisations;

/// <summary>A place in an organisation that waits for the owner of an address. The link in the mail is kept as its digest alone.</summary>
internal sealed class Invitation
{
    public static readonly TimeSpan Life = TimeSpan.FromDays(7);

    public required Guid Id { get; init; }
    public required OrganisationId Organisation { get; init; }
    public required string Email { get; init; }
    public required OrganisationRole Role { get; init; }

    /// <summary>64 lower-case hex digits.</summary>
    public required string Sha256 { get; init; }
    public required Guid InvitedBy { get; init; }
    public required DateTimeOffset Created { get; init; }
    public required DateTimeOffset Expires { get; init; }
    public DateTimeOffset? AcceptedAt { get; set; }
    public DateTimeOffset? RevokedAt { get; set; }
}

internal sealed class InvitationMapping : IEntityTypeConfiguration<Invitation>
{
    public void Configure(EntityTypeBuilder<Invitation> invitation)
    {
        invitation.ToTable("invitations");
        invitation.Property(i => i.Id).ValueGeneratedNever();
        invitation.Property(i => i.Email).HasMaxLength(EmailAddresses.MaxLength);
        invitation.Property(i => i.Sha256).HasMaxLength(64).IsFixedLength();
        invitation.HasIndex(i => i.Sha256).IsUnique();
        invitation.HasIndex(i => i.Organisation);
        invitation.HasIndex(i => i.Email);
        invitation.HasOne<Organisation>().WithMany().HasForeignKey(i => i.Organisation).OnDelete(DeleteBehavior.Cascade);
    }
}
