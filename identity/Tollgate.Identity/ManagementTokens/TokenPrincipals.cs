using System.Security.Claims;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Audit;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.Organisations;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.ManagementTokens;

/// <summary>Who a token of the management API speaks for, with the rights of this moment.</summary>
internal sealed class TokenPrincipals(IdentityDb db, AuditLog audit, TimeProvider time)
{
    /// <summary>Null: unknown, expired, revoked, or its person is no longer a member.</summary>
    public async Task<ClaimsPrincipal?> FindAsync(string secret, CancellationToken cancel)
    {
        if (await LiveAsync(secret, cancel) is not { } token) return null;
        var claims = new List<Claim>
        {
            new(TollgateClaims.Token, token.Id.ToString()),
            new(TollgateClaims.Organisation, token.Organisation.ToString()),
        };
        claims.AddRange(token.Scopes.Select(scope => new Claim(TollgateClaims.Scope, scope)));
        if (token.Account is { } account)
        {
            var person = await db.Memberships.AsNoTracking().Where(m => m.Account == account && m.Organisation == token.Organisation)
                .Join(db.Accounts, m => m.Account, a => a.Id, (m, a) => new { a.Email, m.Role, a.PlatformRole }).SingleOrDefaultAsync(cancel);
            if (person is null) return null;
            claims.Add(new Claim(TollgateClaims.Subject, account.ToString()));
            claims.Add(new Claim(TollgateClaims.Email, person.Email!));
            claims.Add(new Claim(TollgateClaims.Name, person.Email!));
            claims.Add(new Claim(TollgateClaims.OrganisationRole, TollgateClaims.Value(person.Role)));
            if (person.PlatformRole is { } platform) claims.Add(new Claim(TollgateClaims.PlatformRole, TollgateClaims.Value(platform)));
        }
        else
        {
            claims.Add(new Claim(TollgateClaims.Name, token.Name));
            claims.Add(new Claim(TollgateClaims.OrganisationRole, TollgateClaims.Value(token.Role ?? OrganisationRole.Viewer)));
        }

        await NoteUseAsync(token, cancel);
        return new ClaimsPrincipal(new ClaimsIdentity(claims, TokenAuthentication.SchemeName, TollgateClaims.Name, TollgateClaims.OrganisationRole));
    }

    /// <summary>What introspection says of a token (RFC 7662 §2.2); null when it opens nothing.</summary>
    public async Task<JsonObject?> DescribeAsync(string secret, CancellationToken cancel)
    {
        if (await LiveAsync(secret, cancel) is not { } token || await FindAsync(secret, cancel) is not { } caller) return null;
        return new JsonObject
        {
            ["active"] = true,
            ["token_type"] = "Bearer",
            // Never to be taken for a person: their names are ids.
            ["sub"] = caller.FindFirst(TollgateClaims.Subject)?.Value ?? "service-token:" + token.Id,
            ["org"] = token.Organisation.ToString(),
            ["org_role"] = caller.FindFirst(TollgateClaims.OrganisationRole)?.Value,
            ["scope"] = string.Join(' ', token.Scopes),
            ["jti"] = token.Id.ToString(),
            ["iat"] = token.Created.ToUnixTimeSeconds(),
            ["exp"] = token.Expires.ToUnixTimeSeconds(),
        };
    }

    /// <summary>The token that a secret is, while it lives.</summary>
    public async Task<ManagementToken?> LiveAsync(string secret, CancellationToken cancel)
    {
        if (!ManagementTokenFormat.IsWellFormed(secret)) return null;
        var prefix = ManagementTokenFormat.Prefix(secret);
        var digest = ApiKeyFormat.Sha256Hex(secret);
        var token = await db.ManagementTokens.AsNoTracking().SingleOrDefaultAsync(t => t.Prefix == prefix, cancel);
        return token is not null && Secrets.Same(token.Sha256, digest) && token.RevokedAt is null && token.Expires > time.GetUtcNow() ? token : null;
    }

    private async Task NoteUseAsync(ManagementToken token, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var minute = (DateTimeOffset?)new DateTimeOffset(now.Ticks - now.Ticks % TimeSpan.TicksPerMinute, TimeSpan.Zero);
        if (token.LastUsed >= minute) return;
        var isFirst = await db.ManagementTokens.Where(t => t.Id == token.Id && t.LastUsed == null).ExecuteUpdateAsync(t => t.SetProperty(x => x.LastUsed, minute), cancel) == 1;
        if (!isFirst)
        {
            await db.ManagementTokens.Where(t => t.Id == token.Id && t.LastUsed < minute).ExecuteUpdateAsync(t => t.SetProperty(x => x.LastUsed, minute), cancel);
            return;
        }

        await audit.AddAsync(db, token.Account is null ? "service-token.first-used" : "token.first-used", token.Id.ToString(), token.Organisation, actor: token.Account);
        await db.SaveChangesAsync(cancel);
    }
}
