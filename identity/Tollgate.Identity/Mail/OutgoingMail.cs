using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Tollgate.Identity.Mail;

/// <summary>A letter that waits to be delivered. It carries a token, so it lies sealed, and is gone once it is out.</summary>
internal sealed class OutgoingMail
{
    public required Guid Id { get; init; }

    /// <summary>Recipient, subject and text under the key ring.</summary>
    public required string Sealed { get; init; }
    public required DateTimeOffset Created { get; init; }

    /// <summary>When it is tried (again); moved ahead by the node that takes it up.</summary>
    public required DateTimeOffset Due { get; set; }
    public int Attempts { get; set; }
}

internal sealed class OutgoingMailMapping : IEntityTypeConfiguration<OutgoingMail>
{
    public void Configure(EntityTypeBuilder<OutgoingMail> mail)
    {
        mail.ToTable("outgoing_mails");
        mail.Property(m => m.Id).ValueGeneratedNever();
        mail.HasIndex(m => m.Due);
    }
}
