using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Contracts;

namespace Tollgate.Identity.Audit;

/// <summary>Who did what, when, from where. Written once, never changed; holds no secret and no token.</summary>
internal sealed class AuditEvent
{
    public required Guid Id { get; init; }
    public required DateTimeOffset At { get; init; }

    /// <summary>The account, or the service token, that acted; null = nobody was signed in, or the product itself.</summary>
    public Guid? Actor { get; init; }

    /// <summary>What the actor is.</summary>
    public required AuditActor ActorType { get; init; }
    public OrganisationId? Organisation { get; init; }

    /// <summary>Such as <c>key.issued</c>.</summary>
    public required string Action { get; init; }

    /// <summary>The id of what was acted upon.</summary>
    public required string Target { get; init; }
    public string? Address { get; init; }
    public string? Agent { get; init; }

    /// <summary><c>ok</c>, or why it was refused.</summary>
    public required string Result { get; init; }

    /// <summary>The trace in which it happened.</summary>
    public string? Correlation { get; init; }
}

/// <summary>Who can act.</summary>
public enum AuditActor
{
    /// <summary>Nobody was signed in.</summary>
    Nobody,

    /// <summary>A person with a session.</summary>
    Person,

    /// <summary>A program with a person's token of the management API.</summary>
    PersonalToken,

    /// <summary>A program with an organisation's own token.</summary>
    ServiceToken,

    /// <summary>A client of the authorization server.</summary>
    Client,

    /// <summary>The product itself.</summary>
    Product,
}

internal sealed class AuditEventMapping : IEntityTypeConfiguration<AuditEvent>
{
    public void Configure(EntityTypeBuilder<AuditEvent> audit)
    {
        // No foreign keys: an event outlives what it speaks of.
        audit.ToTable("audit_events");
        audit.Property(e => e.Id).ValueGeneratedNever();
        audit.Property(e => e.Action).HasMaxLength(64);
        audit.Property(e => e.Target).HasMaxLength(200);
        audit.Property(e => e.Address).HasMaxLength(64);
        audit.Property(e => e.Agent).HasMaxLength(Caller.MostOfAgent);
        audit.Property(e => e.Result).HasMaxLength(32);
        audit.Property(e => e.Correlation).HasMaxLength(64);
        audit.HasIndex(e => e.At);
        audit.HasIndex(e => new { e.Actor, e.At });
        audit.HasIndex(e => new { e.Action, e.At });
        audit.HasIndex(e => new { e.Organisation, e.At });
    }
}
