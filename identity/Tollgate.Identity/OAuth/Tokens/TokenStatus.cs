using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts.Feeds;
using Tollgate.Identity.Audit;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Families;
using Tollgate.Identity.Storage;
using Tollgate.Storage.Feeds;

namespace Tollgate.Identity.OAuth.Tokens;

/// <summary>Tells whether an access token is still good, and ends it before its time.</summary>
internal sealed class TokenStatus(IdentityDb db, TokenSigner signer, TokenFamilies families, ClientCache clients, AuditLog audit, TimeProvider time)
{
    /// <summary>The claims of a live access token; null for everything else.</summary>
    public async Task<JsonElement?> LiveAccessTokenAsync(string token, CancellationToken cancel) =>
        await ReadAsync(token, cancel) is { } claims
        && TokenSigner.Text(claims, "jti") is { } jti && TokenSigner.Text(claims, "client_id") is { } clientId
        && !await db.RevokedTokens.AnyAsync(t => t.Jti == jti, cancel)
        && await clients.FindAsync(db, clientId, cancel) is not null
        && (TokenSigner.Text(claims, "sub") == clientId || await families.IsAliveAsync(jti, cancel))
            ? claims
            : null;

    private async ValueTask<JsonElement?> ReadAsync(string token, CancellationToken cancel)
    {
        if (!ReferenceToken.IsMeant(token)) return await signer.ReadAsync(token, TokenSigner.AccessToken, cancel);
        var (digest, now) = (Secrets.Sha256(token), time.GetUtcNow());
        return await db.ReferenceTokens.Where(t => t.Sha256 == digest && t.Expires > now).Select(t => t.Claims).SingleOrDefaultAsync(cancel) is { } claims
            ? JsonElement.Parse(claims)
            : null;
    }

    /// <summary>Ends an access token; the gateways hear of it with the same transaction.</summary>
    public async Task RevokeAsync(JsonElement claims, CancellationToken cancel)
    {
        var jti = TokenSigner.Text(claims, "jti")!;
        var expires = DateTimeOffset.FromUnixTimeSeconds(claims.GetProperty("exp").GetInt64());
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await audit.AddAsync(db, "token.revoked", jti);
        await RevokeAsync(db, [(jti, expires)], cancel);
        await transaction.CommitAsync(cancel);
    }

    /// <summary>Within the open transaction. Twice equals once.</summary>
    public static async Task RevokeAsync(IdentityDb db, IReadOnlyCollection<(string Jti, DateTimeOffset Expires)> tokens, CancellationToken cancel)
    {
        var ids = tokens.Select(t => t.Jti).ToArray();
        // The head of the feed is locked by the append, so a second revocation of the same token waits here for the first.
        await db.SaveWithChangesAsync([.. tokens.Select(t => new RevokedTokenItem(t.Jti, t.Expires.ToUnixTimeMilliseconds()))], cancel);
        var known = await db.RevokedTokens.Where(t => ids.Contains(t.Jti)).Select(t => t.Jti).ToListAsync(cancel);
        db.AddRange(tokens.Where(t => !known.Contains(t.Jti)).Select(t => new RevokedToken { Jti = t.Jti, Expires = t.Expires }));
        await db.SaveChangesAsync(cancel);
    }
}
