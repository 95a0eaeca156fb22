using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.OAuth.Tokens;
using Tollgate.Identity.Sessions;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Families;

/// <summary>What a person gave to a client, once: the code and all tokens that come of it live and die together.</summary>
internal sealed class TokenFamily
{
    public required Guid Id { get; init; }
    public required string ClientId { get; init; }
    public required Guid Account { get; init; }
    public required Guid Session { get; init; }

    /// <summary>The account's security stamp then: a changed password ends the family.</summary>
    public required string Stamp { get; init; }
    public required string[] Scopes { get; init; }

    /// <summary>The APIs that were asked for by name (RFC 8707); empty = all that the scopes are for.</summary>
    public string[] Resources { get; init; } = [];
    public required DateTimeOffset SignedIn { get; init; }

    /// <summary>How the person signed in (RFC 8176), such as <c>pwd otp</c>.</summary>
    public string Methods { get; init; } = "pwd";

    /// <summary>The thumbprint of the key that a public client's refresh tokens are bound to (RFC 9449 §5).</summary>
    public string? DpopKey { get; set; }
    public required DateTimeOffset Created { get; init; }
    public DateTimeOffset? RevokedAt { get; set; }

    /// <summary>A new family, of what the person of a session gives to a client.</summary>
    public static async Task<TokenFamily> OfAsync(IdentityDb db, OAuthClient client, Session session, IReadOnlyList<string> scopes,
        IReadOnlyList<string> resources, DateTimeOffset now, CancellationToken cancel) => new()
    {
        Id = Guid.CreateVersion7(now), ClientId = client.ClientId, Account = session.Account, Session = session.Id,
        Stamp = (await db.Accounts.Where(a => a.Id == session.Account).Select(a => a.SecurityStamp).SingleAsync(cancel))!,
        Scopes = [.. scopes], Resources = [.. resources], Methods = session.Methods, SignedIn = session.Opened, Created = now,
    };
}

/// <summary>A code on its way to the client, by its digest.</summary>
internal sealed class AuthorizationCode
{
    public required string Sha256 { get; init; }
    public required Guid Family { get; init; }
    public required string RedirectUri { get; init; }
    public required string Challenge { get; init; }
    public string? Nonce { get; init; }

    /// <summary>The only key that may redeem it (<c>dpop_jkt</c>, RFC 9449 §10).</summary>
    public string? DpopKey { get; init; }
    public required DateTimeOffset Expires { get; init; }
    public DateTimeOffset? ConsumedAt { get; set; }
}

/// <summary>A refresh token by its digest. Each is used once.</summary>
internal sealed class RefreshToken
{
    public required string Sha256 { get; init; }
    public required Guid Family { get; init; }
    public required DateTimeOffset Expires { get; init; }
    public DateTimeOffset? ConsumedAt { get; set; }
}

/// <summary>An access token of a family, remembered so that it can end with it.</summary>
internal sealed class FamilyAccessToken
{
    public required string Jti { get; init; }
    public required Guid Family { get; init; }
    public required DateTimeOffset Expires { get; init; }
}

/// <summary>What a person has allowed a client, so that they are not asked again.</summary>
internal sealed class Consent
{
    public required Guid Account { get; init; }
    public required string ClientId { get; init; }
    public required string[] Scopes { get; set; }

    /// <summary>When the person last agreed to more.</summary>
    public DateTimeOffset? Given { get; set; }
}

internal sealed class TokenFamilyMapping : IEntityTypeConfiguration<TokenFamily>, IEntityTypeConfiguration<AuthorizationCode>,
    IEntityTypeConfiguration<RefreshToken>, IEntityTypeConfiguration<FamilyAccessToken>, IEntityTypeConfiguration<Consent>
{
    private const int DigestLength = 64;
    private const int ThumbprintLength = 43;

    public void Configure(EntityTypeBuilder<TokenFamily> family)
    {
        family.ToTable("token_families");
        family.Property(f => f.Id).ValueGeneratedNever();
        family.Property(f => f.Stamp).HasMaxLength(64);
        family.Property(f => f.Methods).HasMaxLength(64).HasDefaultValue("pwd");
        family.Property(f => f.DpopKey).HasMaxLength(ThumbprintLength);
        family.HasIndex(f => f.Account);
        family.HasIndex(f => f.Session);
        family.HasIndex(f => f.Created);
        family.HasOne<Account>().WithMany().HasForeignKey(f => f.Account).OnDelete(DeleteBehavior.Cascade);
        family.HasOne<OAuthClient>().WithMany().HasForeignKey(f => f.ClientId).OnDelete(DeleteBehavior.Cascade);
    }

    public void Configure(EntityTypeBuilder<AuthorizationCode> code)
    {
        code.ToTable("authorization_codes");
        code.HasKey(c => c.Sha256);
        code.Property(c => c.Sha256).HasMaxLength(DigestLength).IsFixedLength();
        code.Property(c => c.RedirectUri).HasMaxLength(InputLimits.RedirectUri);
        code.Property(c => c.Challenge).HasMaxLength(43);
        code.Property(c => c.DpopKey).HasMaxLength(ThumbprintLength);
        code.Property(c => c.Nonce).HasMaxLength(InputLimits.Nonce);
        code.HasIndex(c => c.Expires);
        code.HasOne<TokenFamily>().WithMany().HasForeignKey(c => c.Family).OnDelete(DeleteBehavior.Cascade);
    }

    public void Configure(EntityTypeBuilder<RefreshToken> token)
    {
        token.ToTable("refresh_tokens");
        token.HasKey(t => t.Sha256);
        token.Property(t => t.Sha256).HasMaxLength(DigestLength).IsFixedLength();
        token.HasIndex(t => t.Expires);
        token.HasOne<TokenFamily>().WithMany().HasForeignKey(t => t.Family).OnDelete(DeleteBehavior.Cascade);
    }

    public void Configure(EntityTypeBuilder<FamilyAccessToken> token)
    {
        token.ToTable("family_access_tokens");
        token.HasKey(t => t.Jti);
        token.Property(t => t.Jti).HasMaxLength(RevokedToken.MaxJtiLength);
        token.HasIndex(t => t.Expires);
        token.HasOne<TokenFamily>().WithMany().HasForeignKey(t => t.Family).OnDelete(DeleteBehavior.Cascade);
    }

    public void Configure(EntityTypeBuilder<Consent> consent)
    {
        consent.ToTable("consents");
        consent.HasKey(c => new { c.Account, c.ClientId });
        consent.HasOne<Account>().WithMany().HasForeignKey(c => c.Account).OnDelete(DeleteBehavior.Cascade);
        consent.HasOne<OAuthClient>().WithMany().HasForeignKey(c => c.ClientId).OnDelete(DeleteBehavior.Cascade);
    }
}
