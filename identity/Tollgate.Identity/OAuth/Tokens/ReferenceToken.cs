using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Protocol;

namespace Tollgate.Identity.OAuth.Tokens;

/// <summary>An access token that says nothing itself: who is shown it asks here (RFC 7662). Kept by its digest, with what a JWT would have said.</summary>
internal sealed class ReferenceToken
{
    public required string Sha256 { get; init; }
    public required string ClientId { get; init; }

    /// <summary>As JSON.</summary>
    public required string Claims { get; init; }
    public required DateTimeOffset Expires { get; init; }

    /// <summary>Whether a text has the form of one: a JWT has dots.</summary>
    public static bool IsMeant(string token) => token.Length <= InputLimits.Handle && !token.Contains('.');
}

internal sealed class ReferenceTokenMapping : IEntityTypeConfiguration<ReferenceToken>
{
    public void Configure(EntityTypeBuilder<ReferenceToken> token)
    {
        token.ToTable("reference_tokens");
        token.HasKey(t => t.Sha256);
        token.Property(t => t.Sha256).HasMaxLength(64).IsFixedLength();
        token.Property(t => t.ClientId).HasMaxLength(InputLimits.ClientId);
        token.HasIndex(t => t.Expires);
        token.HasOne<OAuthClient>().WithMany().HasForeignKey(t => t.ClientId).OnDelete(DeleteBehavior.Cascade);
    }
}
