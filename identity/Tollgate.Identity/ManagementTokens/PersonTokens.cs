using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.OAuth.Dpop;
using Tollgate.Identity.OAuth.Tokens;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.ManagementTokens;

/// <summary>
/// Whom an access token of this issuer speaks for in the management API: a person, with the scopes that they gave and the rights that they have
/// at this moment. A program's own token opens nothing here; for those there are service tokens.
/// </summary>
internal sealed class PersonTokens(IdentityDb db, TokenStatus tokens, DpopProofs proofs, IOptions<TollgateIdentityOptions> options)
{
    private const string Bad = "invalid_token";

    /// <summary>Whether it has the form of one; which of the two kinds of token it is, is plain.</summary>
    public static bool IsMeant(string token) => !token.StartsWith(ManagementTokenFormat.Mark, StringComparison.Ordinal);

    /// <param name="organisation">Where the caller wants to act; null = where the person was when the token was given.</param>
    /// <param name="isDpop">It is shown as one that is bound to a key.</param>
    /// <returns>No caller: the error in the words of RFC 6750 and RFC 9449.</returns>
    public async Task<(ClaimsPrincipal? Caller, string? Error)> FindAsync(HttpContext http, string token, bool isDpop, string? organisation, CancellationToken cancel)
    {
        if (await tokens.LiveAccessTokenAsync(token, cancel) is not { } told || !IsForUs(told) || !Guid.TryParse(TokenSigner.Text(told, "sub"), out var account)) return (null, Bad);
        if (await WhatIsWrongWithProofAsync(http, token, told, isDpop, cancel) is { } error) return (null, error);
        return await CallerAsync(told, account, organisation, cancel) is { } caller ? (caller, null) : (null, Bad);
    }

    /// <summary>A token that is bound to a key may be a stolen one without the proof of that key (RFC 9449 §7.1).</summary>
    private async Task<string?> WhatIsWrongWithProofAsync(HttpContext http, string token, JsonElement told, bool isDpop, CancellationToken cancel)
    {
        var bound = told.TryGetProperty("cnf", out var cnf) ? TokenSigner.Text(cnf, "jkt") : null;
        if (bound is null || !isDpop) return bound is null && !isDpop ? null : Bad;
        var (key, refusal) = await proofs.CheckAtAsync(http, options.Value.PublicUrl.TrimEnd('/') + http.Request.PathBase + http.Request.Path.ToUriComponent(), token, cancel);
        return refusal is not null ? refusal.Error : key == bound ? null : Bad;
    }

    private async Task<ClaimsPrincipal?> CallerAsync(JsonElement told, Guid account, string? organisation, CancellationToken cancel)
    {
        var person = await db.Accounts.AsNoTracking().Where(a => a.Id == account).Select(a => new { a.Email, a.PlatformRole, a.ChosenOrganisation }).SingleOrDefaultAsync(cancel);
        if (person is null) return null;
        var memberships = await db.Memberships.AsNoTracking().Where(m => m.Account == account).OrderBy(m => m.Since).ToListAsync(cancel);
        if (organisation is not null && !Guid.TryParse(organisation, out _)) return null;   // nobody acts elsewhere than they said
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
