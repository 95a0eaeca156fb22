using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Tollgate.Identity.OAuth.Tokens;

/// <summary>An access token that ended before its time.</summary>
internal sealed class RevokedToken
{
    public const int MaxJtiLength = 64;

    public required string Jti { get; init; }

    /// <summary>From then on nobody would take it anyway.</summary>
    public required DateTimeOffset Expires { get; init; }
}

internal sealed class RevokedTokenMapping : IEntityTypeConfiguration<RevokedToken>
{
    public void Configure(EntityTypeBuilder<RevokedToken> token)
    {
        token.ToTable("revoked_tokens");
        token.HasKey(t => t.Jti);
        token.Property(t => t.Jti).HasMaxLength(RevokedToken.MaxJtiLength);
        token.HasIndex(t => t.Expires);
    }
}
