using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Protocol;

namespace Tollgate.Identity.OAuth.Logout;

/// <summary>A client that is still to be told of a session's end. Written with the end itself, so that a node that dies forgets nobody.</summary>
internal sealed class LogoutNotice
{
    public required Guid Id { get; init; }
    public required string ClientId { get; init; }
    public required Guid Account { get; init; }
    public required Guid Session { get; init; }
    public required DateTimeOffset Created { get; init; }

    /// <summary>When it may be tried next; moved on by the node that tries, so that no other does.</summary>
    public required DateTimeOffset Due { get; set; }
    public int Attempts { get; set; }
}

internal sealed class LogoutNoticeMapping : IEntityTypeConfiguration<LogoutNotice>
{
    public void Configure(EntityTypeBuilder<LogoutNotice> notice)
    {
        notice.ToTable("logout_notices");
        notice.Property(n => n.Id).ValueGeneratedNever();
        notice.Property(n => n.ClientId).HasMaxLength(InputLimits.ClientId);
        notice.HasIndex(n => n.Due);
        notice.HasOne<OAuthClient>().WithMany().HasForeignKey(n => n.ClientId).OnDelete(DeleteBehavior.Cascade);
    }
}
