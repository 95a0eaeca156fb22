using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.Organisations;

/// <summary>
/// Changes to one organisation's credentials happen one after another: a key counted against the limit, or an application made while its
/// organisation is being suspended, sees what really is there. An update that changes nothing locks the row on PostgreSQL; on SQLite the
/// transaction alone keeps other writers out.
/// </summary>
internal static class OrganisationLock
{
    /// <summary>Waits for the organisation's turn, until the open transaction ends. False: there is no such organisation.</summary>
    public static async Task<bool> LockOrganisationAsync(this IdentityDb db, OrganisationId organisation, CancellationToken cancel) =>
        await db.Organisations.Where(o => o.Id == organisation).ExecuteUpdateAsync(o => o.SetProperty(x => x.Name, x => x.Name), cancel) == 1;
}
