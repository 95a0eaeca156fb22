using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Contracts;
using Tollgate.Identity.Applications;
using Tollgate.Identity.OAuth.Protocol;

namespace Tollgate.Identity.OAuth.Clients;

/// <summary>A program that asks for tokens.</summary>
internal sealed class OAuthClient
{
    public required string ClientId { get; init; }

    /// <summary>The application that it acts for; null = declared by the operator.</summary>
    public AppId? Application { get; init; }

    /// <summary>Neither of an application nor one that registered itself: who runs the service wrote it down.</summary>
    public bool IsOfTheOperator => Application is null && RegistrationSha256 is null;
    public required string Name { get; set; }

    /// <summary>Cannot keep a secret.</summary>
    public bool IsPublic { get; set; }
    public bool MayIntrospect { get; set; }

    /// <summary>One that may introspect and is no API of certain scopes is the platform's own.</summary>
    public bool SeesAllTokens => MayIntrospect && Scopes.Length == 0;

    /// <summary>People are asked before it acts for them.</summary>
    public bool AsksConsent { get; set; }
    public string[] Grants { get; set; } = [];
    public string[] Scopes { get; set; } = [];
    public string[] RedirectUris { get; set; } = [];
    public string[] PostLogoutRedirectUris { get; set; } = [];

    /// <summary>Where its script may come from (CORS).</summary>
    public string[] Origins { get; set; } = [];

    /// <summary>Its public keys, as a JWK set.</summary>
    public string? Jwks { get; set; }

    /// <summary>Where it publishes them instead: one of the two at most.</summary>
    public string? JwksUri { get; set; }

    /// <summary>It proves itself by what it signs.</summary>
    public bool HasKeys => Jwks is not null || JwksUri is not null;

    /// <summary>What its tokens are signed with; null = RS256.</summary>
    public string? SigningAlgorithm { get; set; }

    /// <summary>Told when a session ends that it has tokens of (OpenID Connect Back-Channel Logout).</summary>
    public string? BackChannelLogoutUri { get; set; }

    /// <summary>Its requests for codes must be pushed first (RFC 9126 §6).</summary>
    public bool RequiresPushedRequests { get; set; }

    /// <summary>Whether it must push its requests, of its own or because all must.</summary>
    public bool MustPush(TollgateIdentityOptions options) => RequiresPushedRequests || options.PushedRequestsRequired;

    /// <summary>Its tokens are bound to a key of its own (RFC 9449 §5.2).</summary>
    public bool RequiresDpop { get; set; }

    /// <summary>Its access tokens say nothing themselves: who is shown one asks by introspection.</summary>
    public bool UsesReferenceTokens { get; set; }

    /// <summary>The digest of the token by which a client that registered itself changes what it said (RFC 7592).</summary>
    public string? RegistrationSha256 { get; init; }

    /// <summary>How such a client said that it proves itself: another way of the same secret is taken too.</summary>
    public string? RegisteredMethod { get; set; }
    public required DateTimeOffset Created { get; init; }

    /// <summary>The platform refuses it for now.</summary>
    public DateTimeOffset? DisabledAt { get; set; }
    public DateTimeOffset? DeletedAt { get; set; }

    /// <summary>Counts changes, so that two people who edit at once do not undo each other.</summary>
    public int Version { get; set; } = 1;
    public List<OAuthClientSecret> Secrets { get; init; } = [];

    public bool Has(string grant) => Grants.Contains(grant);
}

/// <summary>A client's secret by its digest. Two may live at a time, so that one can follow the other without a gap.</summary>
internal sealed class OAuthClientSecret
{
    public required Guid Id { get; init; }
    public required string ClientId { get; init; }

    /// <summary>64 lower-case hex digits.</summary>
    public required string Sha256 { get; init; }
    public required string LastFour { get; init; }
    public required DateTimeOffset Created { get; init; }
    public DateTimeOffset? Expires { get; set; }

    public bool IsLive(DateTimeOffset now) => !(Expires <= now);
}

internal sealed class OAuthClientMapping : IEntityTypeConfiguration<OAuthClient>, IEntityTypeConfiguration<OAuthClientSecret>
{
    public void Configure(EntityTypeBuilder<OAuthClient> client)
    {
        client.ToTable("oauth_clients");
        client.HasKey(c => c.ClientId);
        client.Property(c => c.ClientId).HasMaxLength(InputLimits.ClientId);
        client.Property(c => c.Name).HasMaxLength(InputLimits.ClientId);
        client.Property(c => c.SigningAlgorithm).HasMaxLength(8);
        client.Property(c => c.BackChannelLogoutUri).HasMaxLength(InputLimits.RedirectUri);
        client.Property(c => c.JwksUri).HasMaxLength(InputLimits.RedirectUri);
        client.Property(c => c.RegistrationSha256).HasMaxLength(64).IsFixedLength();
        client.Property(c => c.RegisteredMethod).HasMaxLength(32);
        client.Property(c => c.Version).HasDefaultValue(1).IsConcurrencyToken();
        client.HasIndex(c => c.Application);
        client.HasOne<Application>().WithMany().HasForeignKey(c => c.Application).OnDelete(DeleteBehavior.Restrict);
        client.HasMany(c => c.Secrets).WithOne().HasForeignKey(s => s.ClientId).OnDelete(DeleteBehavior.Cascade);
    }

    public void Configure(EntityTypeBuilder<OAuthClientSecret> secret)
    {
        secret.ToTable("oauth_client_secrets");
        secret.Property(s => s.Id).ValueGeneratedNever();
        secret.Property(s => s.Sha256).HasMaxLength(64).IsFixedLength();
        secret.Property(s => s.LastFour).HasMaxLength(4);
    }
}
