using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Tokens;

/// <summary>What tokens say of a person beside who they are.</summary>
internal static class PersonClaims
{
    /// <summary><c>org_id</c> and <c>org_role</c> of the organisation that the person looks at; null = they belong to none.</summary>
    public static async Task<JsonObject?> OrganisationAsync(IdentityDb db, Guid account, CancellationToken cancel)
    {
        var memberships = await db.Memberships.AsNoTracking().Where(m => m.Account == account).OrderBy(m => m.Since).ToListAsync(cancel);
        var chosen = await db.Accounts.Where(a => a.Id == account).Select(a => a.ChosenOrganisation).SingleOrDefaultAsync(cancel);
        return (memberships.Find(m => m.Organisation == chosen) ?? memberships.FirstOrDefault()) is { } membership
            ? new JsonObject { ["org_id"] = membership.Organisation.ToString(), ["org_role"] = TollgateClaims.Value(membership.Role) }
            : null;
    }

    /// <summary>These claims, and those of another object in their place where both have one.</summary>
    public static JsonObject With(this JsonObject claims, JsonObject? more)
    {
        foreach (var (name, value) in more ?? []) claims[name] = value?.DeepClone();
        return claims;
    }
}
