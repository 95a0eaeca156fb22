using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Contracts.Scopes;

namespace Tollgate.Identity.OAuth.Clients;

/// <summary>What a token may be good for at an API. The scopes of OpenID Connect are not kept: they are always there.</summary>
internal sealed class OAuthScope
{
    public required string Name { get; init; }

    /// <summary>The API that understands it, as tokens say in <c>aud</c>; null = the issuer itself.</summary>
    public string? Audience { get; set; }
}

/// <summary>The scopes of OpenID Connect (Core §5.4, §11).</summary>
internal static class StandardScopes
{
    public const string OpenId = "openid";
    public const string Profile = "profile";
    public const string Email = "email";
    public const string OfflineAccess = "offline_access";

    /// <summary>Which organisation the person works for, and as what. Ours, not OpenID Connect's.</summary>
    public const string Organisation = "org";

    public static IReadOnlyList<string> All { get; } = [OpenId, Profile, Email, OfflineAccess, Organisation];
}

internal sealed class OAuthScopeMapping : IEntityTypeConfiguration<OAuthScope>
{
    public void Configure(EntityTypeBuilder<OAuthScope> scope)
    {
        scope.ToTable("oauth_scopes");
        scope.HasKey(s => s.Name);
        scope.Property(s => s.Name).HasMaxLength(ScopeNames.MaxLength);
        scope.Property(s => s.Audience).HasMaxLength(400);
    }
}
