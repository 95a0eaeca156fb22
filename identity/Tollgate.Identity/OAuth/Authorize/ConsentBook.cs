using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.Audit;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Families;
using Tollgate.Identity.OAuth.Tokens;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Authorize;

/// <summary>An application that a person lets act for them.</summary>
/// <param name="IsInUse">It holds tokens that work.</param>
public sealed record GivenAccess(string ClientId, string Name, IReadOnlyList<string> Scopes, DateTimeOffset Since, bool IsInUse);

/// <summary>Remembers what people have allowed clients, and takes it back.</summary>
internal sealed class ConsentBook(IdentityDb db, AuditLog audit, TimeProvider time)
{
    public async Task<bool> IsNeededAsync(OAuthClient client, Guid account, IReadOnlyList<string> scopes, CancellationToken cancel)
    {
        if (!client.AsksConsent) return false;
        var given = await db.Consents.AsNoTracking().SingleOrDefaultAsync(c => c.Account == account && c.ClientId == client.ClientId, cancel);
        return given is null || scopes.Except(given.Scopes).Any();
    }

    public async Task RememberAsync(Guid account, string clientId, IReadOnlyList<string> scopes, CancellationToken cancel)
    {
        var given = await db.Consents.SingleOrDefaultAsync(c => c.Account == account && c.ClientId == clientId, cancel);
        if (given is null) db.Add(given = new Consent { Account = account, ClientId = clientId, Scopes = [] });
        given.Scopes = [.. given.Scopes.Union(scopes)];
        given.Given = time.GetUtcNow();
        await audit.AddAsync(db, "consent.given", clientId, actor: account);
        await db.SaveChangesAsync(cancel);
    }

    /// <summary>Who may act for a person: by a remembered word, or because tokens work that nobody had to be asked for.</summary>
    public async Task<IReadOnlyList<GivenAccess>> ListAsync(Guid account, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var agreed = await db.Consents.AsNoTracking().Where(c => c.Account == account).ToListAsync(cancel);
        var families = await db.TokenFamilies.AsNoTracking()
            .Where(f => f.Account == account && f.RevokedAt == null && db.Sessions.Any(s => s.Id == f.Session && s.EndedAt == null)
                && (db.RefreshTokens.Any(t => t.Family == f.Id && t.ConsumedAt == null && t.Expires > now) || db.FamilyAccessTokens.Any(t => t.Family == f.Id && t.Expires > now)))
            .Select(f => new { f.ClientId, f.Scopes, f.Created }).ToListAsync(cancel);

        var ids = agreed.Select(c => c.ClientId).Concat(families.Select(f => f.ClientId)).Distinct().ToArray();
        var names = await db.OAuthClients.AsNoTracking().Where(c => ids.Contains(c.ClientId) && c.DeletedAt == null).ToDictionaryAsync(c => c.ClientId, c => c.Name, cancel);
        return [.. names.Select(client =>
        {
            var consent = agreed.Find(c => c.ClientId == client.Key);
            var own = families.Where(f => f.ClientId == client.Key).ToList();
            var since = own.Select(f => f.Created).Concat(consent?.Given is { } given ? [given] : []).DefaultIfEmpty(now).Min();
            return new GivenAccess(client.Key, client.Value, [.. own.SelectMany(f => f.Scopes).Concat(consent?.Scopes ?? []).Distinct()], since, own.Count > 0);
        }).OrderBy(given => given.Name, StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>Forgets what a person allowed a client, and ends all that the client holds of them, here and at the gateways. False: there was nothing.</summary>
    public async Task<bool> WithdrawAsync(Guid account, string clientId, CancellationToken cancel)
    {
        var now = (DateTimeOffset?)time.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var forgotten = await db.Consents.Where(c => c.Account == account && c.ClientId == clientId).ExecuteDeleteAsync(cancel);
        var families = await db.TokenFamilies.Where(f => f.Account == account && f.ClientId == clientId && f.RevokedAt == null).Select(f => f.Id).ToListAsync(cancel);
        if (forgotten + families.Count == 0) return false;

        await db.TokenFamilies.Where(f => families.Contains(f.Id)).ExecuteUpdateAsync(f => f.SetProperty(x => x.RevokedAt, now), cancel);
        await db.Sessions.Where(s => s.Account == account && s.Client == clientId && s.EndedAt == null).ExecuteUpdateAsync(s => s.SetProperty(x => x.EndedAt, now), cancel);
        var live = await db.FamilyAccessTokens.AsNoTracking().Where(t => families.Contains(t.Family) && t.Expires > now).ToListAsync(cancel);
        await audit.AddAsync(db, "consent.revoked", clientId, actor: account);
        await TokenStatus.RevokeAsync(db, [.. live.Select(t => (t.Jti, t.Expires))], cancel);
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return true;
    }
}
