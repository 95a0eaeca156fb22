using System.Security.Claims;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.OAuth.Tokens;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.ManagementTokens;

/// <summary>
/// Whom an access token of this issuer speaks for in the management API: a person, with the scopes that they gave and the rights that they have
/// at this moment. A program's own token opens nothing here; for those there are service tokens.
/// </summary>
internal sealed class PersonTokens(IdentityDb db, TokenStatus tokens, IOptions<TollgateIdentityOptions> options)
{
    /// <summary>Whether it has the form of one; which of the two kinds of token it is, is plain.</summary>
    public static bool IsMeant(string token) => !token.StartsWith(ManagementTokenFormat.Mark, StringComparison.Ordinal) && token.Contains('.');

    /// <param name="organisation">Where the caller wants to act; null = where the person was when the token was given.</param>
    public async Task<ClaimsPrincipal?> FindAsync(string token, string? organisation, CancellationToken cancel)
    {
        if (await tokens.LiveAccessTokenAsync(token, cancel) is not { } told || !IsForUs(told)) return null;
        // A bound token needs the proof of its key, which is not asked for here: without it, it may be a stolen one.
        if (told.TryGetProperty("cnf", out _) || !Guid.TryParse(TokenSigner.Text(told, "sub"), out var account)) return null;

        var person = await db.Accounts.AsNoTracking().Where(a => a.Id == account).Select(a => new { a.Email, a.PlatformRole, a.ChosenOrganisation }).SingleOrDefaultAsync(cancel);
        if (person is null) return null;
        var memberships = await db.Memberships.AsNoTracking().Where(m => m.Account == account).OrderBy(m => m.Since).ToListAsync(cancel);
        var wanted = organisation ?? TokenSigner.Text(told, "org_id");
        var membership = Guid.TryParse(wanted, out var id) ? memberships.Find(m => m.Organisation.Value == id)
            : memberships.Find(m => m.Organisation == person.ChosenOrganisation) ?? memberships.FirstOrDefault();
        if (membership is null && organisation is not null) return null;

        var claims = new List<Claim>
        {
            new(TollgateClaims.Token, TokenSigner.Text(told, "jti")!),
            new(TollgateClaims.Subject, account.ToString()),
            new(TollgateClaims.Email, person.Email!),
            new(TollgateClaims.Name, person.Email!),
        };
        claims.AddRange((TokenSigner.Text(told, "scope") ?? "").Split(' ').Where(ManagementApiScopes.All.Contains)
            .Select(scope => new Claim(TollgateClaims.Scope, scope[ManagementApiScopes.Prefix.Length..])));
        if (membership is not null)
        {
            claims.Add(new Claim(TollgateClaims.Organisation, membership.Organisation.ToString()));
            claims.Add(new Claim(TollgateClaims.OrganisationRole, TollgateClaims.Value(membership.Role)));
        }

        if (person.PlatformRole is { } platform) claims.Add(new Claim(TollgateClaims.PlatformRole, TollgateClaims.Value(platform)));
        return new ClaimsPrincipal(new ClaimsIdentity(claims, TokenAuthentication.SchemeName, TollgateClaims.Name, TollgateClaims.OrganisationRole));
    }

    private bool IsForUs(JsonElement claims)
    {
        var audience = ManagementApiScopes.Audience(options.Value);
        var told = claims.GetProperty("aud");
        return told.ValueKind == JsonValueKind.Array ? told.EnumerateArray().Any(one => one.ValueEquals(audience)) : told.ValueKind == JsonValueKind.String && told.ValueEquals(audience);
    }
}
