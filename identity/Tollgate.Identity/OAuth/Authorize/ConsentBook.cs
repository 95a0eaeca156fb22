using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.Audit;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Families;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Authorize;

/// <summary>Remembers what people have allowed clients.</summary>
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
}
