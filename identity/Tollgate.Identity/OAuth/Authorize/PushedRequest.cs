using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Protocol;

namespace Tollgate.Identity.OAuth.Authorize;

/// <summary>A request for a code that its client has sent ahead (RFC 9126), by the digest of the name that it was given. Used once.</summary>
internal sealed class PushedRequest
{
    public required string Sha256 { get; init; }
    public required string ClientId { get; init; }

    /// <summary>The parameters, form-encoded, without anything that proved the client.</summary>
    public required string Parameters { get; init; }
    public required DateTimeOffset Expires { get; init; }
    public DateTimeOffset? ConsumedAt { get; set; }
}

internal sealed class PushedRequestMapping : IEntityTypeConfiguration<PushedRequest>
{
    public void Configure(EntityTypeBuilder<PushedRequest> request)
    {
        request.ToTable("pushed_requests");
        request.HasKey(r => r.Sha256);
        request.Property(r => r.Sha256).HasMaxLength(64).IsFixedLength();
        request.Property(r => r.ClientId).HasMaxLength(InputLimits.ClientId);
        request.HasIndex(r => r.Expires);
        request.HasOne<OAuthClient>().WithMany().HasForeignKey(r => r.ClientId).OnDelete(DeleteBehavior.Cascade);
    }
}
