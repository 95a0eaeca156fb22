using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Audit;

namespace Tollgate.Identity.Sessions;

/// <summary>One sign-in. The cookie names it; once it has ended, no copy of the cookie is worth anything.</summary>
internal sealed class Session
{
    public required Guid Id { get; init; }
    public required Guid Account { get; init; }

    /// <summary>When the person proved who they are.</summary>
    public required DateTimeOffset Opened { get; init; }
    public DateTimeOffset? EndedAt { get; set; }

    /// <summary>When it was last used, to within a minute or so; null = not since it was opened.</summary>
    public DateTimeOffset? LastSeen { get; set; }

    /// <summary>How the person signed in (RFC 8176), such as <c>pwd otp</c>; it becomes <c>amr</c>.</summary>
    public string Methods { get; set; } = "pwd";

    /// <summary>The client on a device that a person let in: the session is that device's, has no cookie, and ends with its tokens.</summary>
    public string? Client { get; init; }
    public string? Address { get; init; }
    public string? Agent { get; init; }
}

internal sealed class SessionMapping : IEntityTypeConfiguration<Session>
{
    public void Configure(EntityTypeBuilder<Session> session)
    {
        session.ToTable("sessions");
        session.Property(s => s.Id).ValueGeneratedNever();
        session.Property(s => s.Address).HasMaxLength(64);
        session.Property(s => s.Agent).HasMaxLength(Caller.MostOfAgent);
        session.Property(s => s.Methods).HasMaxLength(64).HasDefaultValue("pwd");
        session.Property(s => s.Client).HasMaxLength(100);
        session.HasIndex(s => s.Account);
        session.HasOne<Account>().WithMany().HasForeignKey(s => s.Account).OnDelete(DeleteBehavior.Cascade);
    }
}
