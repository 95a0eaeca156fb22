using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Tollgate.Identity.Audit;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.OAuth.Tokens;
using Tollgate.Identity.Sessions;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Families;

/// <summary>
/// Turns codes and refresh tokens into tokens, each once. Whoever comes second with the same one ends the whole family: one of the two was
/// a thief, and nobody can tell which (RFC 9700 §4.5, §4.14).
/// </summary>
internal sealed class TokenFamilies(
    IdentityDb db, AccessTokens accessTokens, ScopeBook scopes, TokenSigner signer, AuditLog audit, TokenAudit tokenAudit,
    IOptions<TollgateIdentityOptions> options, TimeProvider time)
{
    private static readonly OAuthRefusal BadCode = OAuthRefusal.InvalidGrant("The code is unknown, used, too old, or not for this request.");
    private static readonly OAuthRefusal BadRefreshToken = OAuthRefusal.InvalidGrant("The refresh token is unknown, used, too old or revoked.");

    /// <param name="dpopKey">The thumbprint of the key that has been proven, and that the tokens are bound to; null = none.</param>
    public async Task<(JsonObject? Answer, OAuthRefusal? Refusal)> RedeemCodeAsync(KnownClient client, Parameters form, string? dpopKey, CancellationToken cancel)
    {
        if (form["code"] is not { } handle) return (null, OAuthRefusal.InvalidRequest("code is missing."));
        var digest = Secrets.Sha256(handle);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var code = await db.AuthorizationCodes.AsNoTracking().SingleOrDefaultAsync(c => c.Sha256 == digest, cancel);
        var family = code is null ? null : await db.TokenFamilies.AsNoTracking().SingleAsync(f => f.Id == code.Family, cancel);
        if (code is null || family is null || family.ClientId != client.Client.ClientId) return (null, BadCode);

        var now = time.GetUtcNow();
        var used = (DateTimeOffset?)now;
        var isFirst = await db.AuthorizationCodes.Where(c => c.Sha256 == digest && c.ConsumedAt == null)
            .ExecuteUpdateAsync(c => c.SetProperty(x => x.ConsumedAt, used), cancel) == 1;
        if (!isFirst) await RevokeAsync(family, "code-reused", cancel);
        var isGood = isFirst && code.Expires > now && form["redirect_uri"] == code.RedirectUri && Answers(form["code_verifier"], code.Challenge)
            && (code.DpopKey is null || code.DpopKey == dpopKey) && await IsAliveAsync(family, cancel);
        var answer = isGood ? await IssueAsync(client, family, Grants.AuthorizationCode, family.Scopes, form.Resources, code.Nonce, dpopKey, cancel) : (null, BadCode);
        await transaction.CommitAsync(cancel);
        return answer;
    }

    /// <param name="dpopKey">The thumbprint of the key that has been proven; null = none.</param>
    public async Task<(JsonObject? Answer, OAuthRefusal? Refusal)> RefreshAsync(KnownClient client, Parameters form, string? dpopKey, CancellationToken cancel)
    {
        if (form["refresh_token"] is not { } handle) return (null, OAuthRefusal.InvalidRequest("refresh_token is missing."));
        var digest = Secrets.Sha256(handle);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var token = await db.RefreshTokens.AsNoTracking().SingleOrDefaultAsync(t => t.Sha256 == digest, cancel);
        var family = token is null ? null : await db.TokenFamilies.AsNoTracking().SingleAsync(f => f.Id == token.Family, cancel);
        if (token is null || family is null || family.ClientId != client.Client.ClientId) return (null, BadRefreshToken);

        var now = time.GetUtcNow();
        var isFresh = token.ConsumedAt is null || token.ConsumedAt > now.AddSeconds(-options.Value.RefreshTokenLeewaySeconds);
        if (isFresh && (token.Expires <= now || !await IsAliveAsync(family, cancel) || (family.DpopKey is not null && family.DpopKey != dpopKey)))
            return (null, BadRefreshToken);
        var wanted = form["scope"] is { } scope ? ScopeBook.Split(scope) : family.Scopes;
        if (isFresh && (wanted is null || wanted.Except(family.Scopes).Any()))
            return (null, OAuthRefusal.InvalidScope("A scope is not among those that were given."));

        if (!await ConsumeAsync(digest, now, cancel))
        {
            await RevokeAsync(family, "refresh-token-reused", cancel);
            await transaction.CommitAsync(cancel);
            return (null, BadRefreshToken);
        }

        var answer = await IssueAsync(client, family, Grants.RefreshToken, wanted!, form.Resources, null, dpopKey, cancel, isAskedFor: form["scope"] is not null);
        if (answer.Answer is not null) await transaction.CommitAsync(cancel);   // a request that is refused spends nothing
        return answer;
    }

    /// <summary>Whether this use of a refresh token counts: the first one, or one more within the leeway that the operator allows.</summary>
    private async Task<bool> ConsumeAsync(string digest, DateTimeOffset now, CancellationToken cancel)
    {
        var used = (DateTimeOffset?)now;
        if (await db.RefreshTokens.Where(t => t.Sha256 == digest && t.ConsumedAt == null).ExecuteUpdateAsync(t => t.SetProperty(x => x.ConsumedAt, used), cancel) == 1) return true;
        if (options.Value.RefreshTokenLeewaySeconds == 0) return false;
        var since = (DateTimeOffset?)now.AddSeconds(-options.Value.RefreshTokenLeewaySeconds);
        return await db.RefreshTokens.AnyAsync(t => t.Sha256 == digest && t.ConsumedAt > since, cancel);
    }

    /// <summary>The first tokens of a family that came about without a code. Within the open transaction.</summary>
    public Task<(JsonObject? Answer, OAuthRefusal? Refusal)> BeginAsync(
        KnownClient client, TokenFamily family, string grant, IReadOnlyList<string> resources, string? dpopKey, CancellationToken cancel) =>
        IssueAsync(client, family, grant, family.Scopes, resources, null, dpopKey, cancel);

    /// <summary>Ends the family of a refresh token (RFC 7009 §2.1); of a foreign or unknown one nothing comes.</summary>
    public async Task RevokeByRefreshTokenAsync(KnownClient client, string handle, CancellationToken cancel)
    {
        var digest = Secrets.Sha256(handle);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var family = await db.TokenFamilies.AsNoTracking()
            .SingleOrDefaultAsync(f => f.ClientId == client.Client.ClientId && db.RefreshTokens.Any(t => t.Sha256 == digest && t.Family == f.Id), cancel);
        if (family is not null) await RevokeAsync(family, AuditLog.Ok, cancel);
        await transaction.CommitAsync(cancel);
    }

    /// <summary>The family of a live refresh token of this client, or of any where the platform's own asks.</summary>
    public async Task<(TokenFamily Family, RefreshToken Token)?> LiveRefreshTokenAsync(KnownClient client, string handle, CancellationToken cancel)
    {
        var (digest, now) = (Secrets.Sha256(handle), time.GetUtcNow());
        var token = await db.RefreshTokens.AsNoTracking().SingleOrDefaultAsync(t => t.Sha256 == digest && t.ConsumedAt == null && t.Expires > now, cancel);
        var family = token is null ? null : await db.TokenFamilies.AsNoTracking().SingleAsync(f => f.Id == token.Family, cancel);
        return family is not null && (family.ClientId == client.Client.ClientId || client.Client.SeesAllTokens) && await IsAliveAsync(family, cancel) ? (family, token!) : null;
    }

    private async Task<(JsonObject? Answer, OAuthRefusal? Refusal)> IssueAsync(KnownClient client, TokenFamily family, string grant,
        IReadOnlyList<string> names, IReadOnlyList<string> resources, string? nonce, string? dpopKey, CancellationToken cancel, bool isAskedFor = false)
    {
        var now = time.GetUtcNow();
        if (family.Resources.Length > 0 && resources.Except(family.Resources).Any()) return (null, OAuthRefusal.InvalidTarget("A resource is not among those that were given."));
        // What the client may no longer have is left out, and refused where it is asked for by name.
        var allowed = await scopes.OfAsync(client.Client, cancel);
        if (!isAskedFor && names.Count > 0 && (names = [.. names.Intersect(allowed)]).Count == 0)
            return (null, OAuthRefusal.InvalidScope("The client may have none of the scopes any more that were given."));
        var (granted, refusal) = await scopes.ResolveAsync(client.Client, string.Join(' ', names), allowed, resources.Count > 0 ? resources : family.Resources, cancel);
        if (granted is null) return (null, refusal);
        // Holds the family's row, so that a revocation at this moment comes before the new tokens or sees them.
        var boundTo = family.DpopKey ?? (client.Client.IsPublic ? dpopKey : null);
        if (await db.TokenFamilies.Where(f => f.Id == family.Id && f.RevokedAt == null).ExecuteUpdateAsync(f => f.SetProperty(x => x.DpopKey, boundTo), cancel) == 0)
            return (null, BadRefreshToken);
        var organisation = granted.Names.Contains(StandardScopes.Organisation) ? await PersonClaims.OrganisationAsync(db, family.Account, cancel) : null;
        var access = await accessTokens.IssueAsync(client, family.Account.ToString(), granted.Names, granted.Audiences, dpopKey,
            new JsonObject { ["auth_time"] = family.SignedIn.ToUnixTimeSeconds(), ["acr"] = SignInMethods.Class(family.Methods) }.With(organisation), cancel);
        db.Add(new FamilyAccessToken { Jti = access.Jti, Family = family.Id, Expires = access.Expires });
        tokenAudit.Issued(client, grant, access.Jti);
        var answer = access.ToAnswer(granted.Names);

        var ends = family.Created.AddSeconds(options.Value.RefreshTokenAbsoluteLifetimeSeconds);
        if (family.Scopes.Contains(StandardScopes.OfflineAccess) && client.Client.Has(Grants.RefreshToken) && ends > now)
        {
            var handle = Secrets.New();
            var slides = now.AddSeconds(options.Value.RefreshTokenLifetimeSeconds);
            db.Add(new RefreshToken { Sha256 = Secrets.Sha256(handle), Family = family.Id, Expires = slides < ends ? slides : ends });
            answer["refresh_token"] = handle;
        }

        if (granted.Names.Contains(StandardScopes.OpenId)) answer["id_token"] = await IdTokenAsync(client, family, access.Token, nonce, organisation, now, cancel);
        await db.SaveChangesAsync(cancel);
        return (answer, null);
    }

    private async Task<string> IdTokenAsync(
        KnownClient client, TokenFamily family, string accessToken, string? nonce, JsonObject? organisation, DateTimeOffset now, CancellationToken cancel)
    {
        var claims = new JsonObject
        {
            ["iss"] = options.Value.IssuerName,
            ["sub"] = family.Account.ToString(),
            ["aud"] = family.ClientId,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = now.AddSeconds(options.Value.IdTokenLifetimeSeconds).ToUnixTimeSeconds(),
            ["auth_time"] = family.SignedIn.ToUnixTimeSeconds(),
            ["amr"] = new JsonArray([.. family.Methods.Split(' ').Select(m => (JsonNode)m)]),
            ["acr"] = SignInMethods.Class(family.Methods),
            ["sid"] = family.Session.ToString("N"),
            ["at_hash"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(accessToken)).AsSpan(0, 16)),   // OIDC Core §3.1.3.6
        };
        if (nonce is not null) claims["nonce"] = nonce;
        return await signer.SignAsync(TokenSigner.IdToken, client.Client.SigningAlgorithm, claims.With(organisation), cancel);
    }

    /// <summary>Whether the family of a person's access token is alive. One that is gone went with its account.</summary>
    public async Task<bool> IsAliveAsync(string jti, CancellationToken cancel) =>
        await db.TokenFamilies.AsNoTracking().SingleOrDefaultAsync(f => db.FamilyAccessTokens.Any(t => t.Jti == jti && t.Family == f.Id), cancel) is { } family
        && await IsAliveAsync(family, cancel);

    /// <summary>Neither revoked, nor its session ended, nor its account another's: locked, or with a new password.</summary>
    private async Task<bool> IsAliveAsync(TokenFamily family, CancellationToken cancel)
    {
        var now = (DateTimeOffset?)time.GetUtcNow();
        return family.RevokedAt is null
            && await db.Sessions.AnyAsync(s => s.Id == family.Session && s.EndedAt == null, cancel)
            && await db.Accounts.AnyAsync(a => a.Id == family.Account && a.SecurityStamp == family.Stamp && !(a.LockoutEnd > now), cancel);
    }

    private async Task RevokeAsync(TokenFamily family, string result, CancellationToken cancel)
    {
        var now = (DateTimeOffset?)time.GetUtcNow();
        var isFirst = await db.TokenFamilies.Where(f => f.Id == family.Id && f.RevokedAt == null).ExecuteUpdateAsync(f => f.SetProperty(x => x.RevokedAt, now), cancel) == 1;
        if (!isFirst) return;
        await db.Sessions.Where(s => s.Id == family.Session && s.Client != null && s.EndedAt == null).ExecuteUpdateAsync(s => s.SetProperty(x => x.EndedAt, now), cancel);
        await audit.AddAsync(db, "token.family-revoked", family.Id.ToString(), result: result, actor: family.Account);
        var live = await db.FamilyAccessTokens.AsNoTracking().Where(t => t.Family == family.Id && t.Expires > now).ToListAsync(cancel);
        await TokenStatus.RevokeAsync(db, [.. live.Select(t => (t.Jti, t.Expires))], cancel);
    }

    /// <summary>RFC 7636 §4.6, S256 alone.</summary>
    private static bool Answers(string? verifier, string challenge) =>
        verifier is { Length: >= 43 and <= 128 } && verifier.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~')
        && Secrets.Same(Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier))), challenge);
}
