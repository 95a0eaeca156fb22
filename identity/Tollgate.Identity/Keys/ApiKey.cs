using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Identity.Applications;

namespace Tollgate.Identity.Keys;

/// <summary>An API key by its digest; the key itself was shown once and is kept nowhere.</summary>
internal sealed class ApiKey
{
    public required ApiKeyId Id { get; init; }
    public required AppId Application { get; init; }
    public required string Name { get; init; }

    /// <summary>SHA-256 of the key, 64 lower-case hex digits.</summary>
    public required string Sha256 { get; init; }
    public required string Prefix { get; init; }
    public required string LastFour { get; init; }
    public required bool Test { get; init; }
    public required DateTimeOffset Created { get; init; }
    public DateTimeOffset? Expires { get; set; }
    public DateTimeOffset? RevokedAt { get; set; }

    /// <summary>Null = all of the application's.</summary>
    public string[]? Scopes { get; init; }

    /// <summary>CIDR ranges; null = anywhere.</summary>
    public string[]? Networks { get; init; }

    /// <summary>Gateways that have lost touch refuse it rather than miss its revocation.</summary>
    public bool HighRisk { get; init; }

    /// <summary>Start of the minute in which a gateway last took it; null = never.</summary>
    public DateTimeOffset? LastUsed { get; set; }

    /// <summary>Dead for so long that gateways no longer need to know why.</summary>
    public bool LeftFeed { get; set; }

    /// <summary>The key that this one was made to follow.</summary>
    public ApiKeyId? Replaces { get; init; }

    public bool IsLive(DateTimeOffset now) => RevokedAt is null && !(Expires <= now);

    public KeyItem ToFeedItem() =>
        new(Id, Sha256, Application, Prefix, RevokedAt is not null, Expires?.ToUnixTimeMilliseconds(), Scopes, Networks, HighRisk, Test);

    public KeyView ToView(DateTimeOffset now) => new(
        Id, Name, Prefix, LastFour, Test, Created, Expires, RevokedAt,
        RevokedAt is not null ? KeyState.Revoked : Expires <= now ? KeyState.Expired : KeyState.Live, Scopes ?? [], Networks ?? [],
        HighRisk, LastUsed, Imported: Prefix.Length == 0);
}

internal sealed class ApiKeyMapping : IEntityTypeConfiguration<ApiKey>
{
    public void Configure(EntityTypeBuilder<ApiKey> key)
    {
        key.ToTable("api_keys");
        key.Property(k => k.Id).ValueGeneratedNever();
        key.Property(k => k.Name).HasMaxLength(IssueKeyRequest.MaxNameLength);
        key.Property(k => k.Sha256).HasMaxLength(64).IsFixedLength();
        key.Property(k => k.Prefix).HasMaxLength(16);
        key.Property(k => k.LastFour).HasMaxLength(4);
        key.HasIndex(k => k.Sha256).IsUnique();
        key.HasIndex(k => k.Application);
        key.HasOne<Application>().WithMany().HasForeignKey(k => k.Application).OnDelete(DeleteBehavior.Restrict);
    }
}
