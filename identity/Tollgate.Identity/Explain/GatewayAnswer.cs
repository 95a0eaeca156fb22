using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Tollgate.Identity.Explain;

/// <summary>What a gateway said to a question, for the few seconds until whoever asked has read it: on whichever node of the control plane that is.</summary>
internal sealed class GatewayAnswer
{
    public const int MaxNodeLength = 100;

    public required Guid Question { get; init; }
    public required string Node { get; init; }

    /// <summary>As it came, JSON.</summary>
    public required string Answer { get; init; }
    public required DateTimeOffset At { get; init; }
}

internal sealed class GatewayAnswerMapping : IEntityTypeConfiguration<GatewayAnswer>
{
    public void Configure(EntityTypeBuilder<GatewayAnswer> answer)
    {
        answer.ToTable("gateway_answers");
        answer.HasKey(a => new { a.Question, a.Node });
        answer.Property(a => a.Node).HasMaxLength(GatewayAnswer.MaxNodeLength);
        answer.HasIndex(a => a.At);
    }
}
