using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Tollgate.Identity.OAuth.Keys;

/// <summary>A key that signs tokens for a while. The private half is protected by the key ring.</summary>
internal sealed class SigningKey
{
    /// <summary>The key's RFC 7638 thumbprint.</summary>
    public required string Kid { get; init; }

    /// <summary>Counts up by one; unique, so that of two nodes that rotate at once one wins.</summary>
    public required int Generation { get; init; }

    /// <summary>Of the public half, base64url as in its JWK.</summary>
    public required string Modulus { get; init; }
    public required string Exponent { get; init; }
    public required string ProtectedPrivateKey { get; init; }
    public required DateTimeOffset Created { get; init; }

    /// <summary>Until then it is only announced.</summary>
    public required DateTimeOffset SignsFrom { get; init; }

    /// <summary>From then on another signs, and this one is published while its tokens live.</summary>
    public required DateTimeOffset SignsUntil { get; init; }
}

internal sealed class SigningKeyMapping : IEntityTypeConfiguration<SigningKey>
{
    public void Configure(EntityTypeBuilder<SigningKey> key)
    {
        key.ToTable("signing_keys");
        key.HasKey(k => k.Kid);
        key.Property(k => k.Kid).HasMaxLength(64);
        key.Property(k => k.Modulus).HasMaxLength(700);
        key.Property(k => k.Exponent).HasMaxLength(16);
        key.HasIndex(k => k.Generation).IsUnique();
    }
}
