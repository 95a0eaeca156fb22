using System.Security.Claims;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.Accounts;

/// <summary>Puts into a session who the person is, which organisation they look at, and what they may do.</summary>
internal sealed class AccountPrincipals(UserManager<Account> users, IOptions<IdentityOptions> options, IdentityDb db)
    : UserClaimsPrincipalFactory<Account>(users, options)
{
    protected override async Task<ClaimsIdentity> GenerateClaimsAsync(Account account)
    {
        var identity = await base.GenerateClaimsAsync(account);
        if (account.PlatformRole is { } platform) identity.AddClaim(new Claim(TollgateClaims.PlatformRole, TollgateClaims.Value(platform)));

        var memberships = await db.Memberships.AsNoTracking().Where(m => m.Account == account.Id).OrderBy(m => m.Since).ToListAsync();
        if ((memberships.Find(m => m.Organisation == account.ChosenOrganisation) ?? memberships.FirstOrDefault()) is { } chosen)
        {
            identity.AddClaim(new Claim(TollgateClaims.Organisation, chosen.Organisation.ToString()));
            identity.AddClaim(new Claim(TollgateClaims.OrganisationRole, TollgateClaims.Value(chosen.Role)));
        }

        return identity;
    }
}
