using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Identity.Accounts;

namespace Tollgate.Identity.Sessions;

/// <summary>One sign-in. The cookie names it; once it has ended, no copy of the cookie is worth anything.</summary>
internal sealed class Session
{
    public required Guid Id { get; init; }
    public required Guid Account { get; init; }

    /// <summary>When the person proved who they are.</summary>
    public required DateTimeOffset Opened { get; init; }
    public DateTimeOffset? EndedAt { get; set; }

    /// <summary>How they did, in the words of RFC 8176: <c>pwd</c>, <c>otp</c>, <c>swk</c>, <c>mfa</c> …; null = by password, as sessions of old.</summary>
    public string[]? Methods { get; init; }

    /// <summary>When it was last used, to the minute.</summary>
    public DateTimeOffset? LastSeen { get; set; }
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
        session.Property(s => s.Agent).HasMaxLength(256);
        session.HasIndex(s => s.Account);
        session.HasOne<Account>().WithMany().HasForeignKey(s => s.Account).OnDelete(DeleteBehavior.Cascade);
    }
}
