using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Tollgate.Identity.OAuth.Protocol;

/// <summary>A proof of a client that has been used, until it would be too old anyway. Shared by all nodes: what one has seen, none takes again.</summary>
internal sealed class SeenToken
{
    /// <summary>Of the kind of proof, who made it, and its <c>jti</c>.</summary>
    public required string Sha256 { get; init; }
    public required DateTimeOffset Expires { get; init; }
}

internal sealed class SeenTokenMapping : IEntityTypeConfiguration<SeenToken>
{
    public void Configure(EntityTypeBuilder<SeenToken> token)
    {
        token.ToTable("seen_tokens");
        token.HasKey(t => t.Sha256);
        token.Property(t => t.Sha256).HasMaxLength(64).IsFixedLength();
        token.HasIndex(t => t.Expires);
    }
}
