using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Tollgate.Identity.OAuth.Keys;

/// <summary>A key that signs tokens for a while. The private half is protected by the key ring.</summary>
internal sealed class SigningKey
{
    /// <summary>The key's RFC 7638 thumbprint.</summary>
    public required string Kid { get; init; }

    /// <summary><c>RS256</c> or <c>ES256</c>.</summary>
    public required string Algorithm { get; init; }

    /// <summary>Counts up by one for each algorithm; unique, so that of two nodes that rotate at once one wins.</summary>
    public required int Generation { get; init; }

    /// <summary>The public half of an RSA key, base64url as in its JWK.</summary>
    public string? Modulus { get; init; }
    public string? Exponent { get; init; }

    /// <summary>The public half of a key on P-256, base64url as in its JWK.</summary>
    public string? X { get; init; }
    public string? Y { get; init; }
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
        key.Property(k => k.X).HasMaxLength(64);
        key.Property(k => k.Y).HasMaxLength(64);
        key.Property(k => k.Algorithm).HasMaxLength(8).HasDefaultValue("RS256");
        key.HasIndex(k => new { k.Algorithm, k.Generation }).IsUnique();
    }
}
