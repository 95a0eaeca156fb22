using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.Accounts;

/// <summary>There is always a platform admin, also when all of them leave at the same moment.</summary>
internal static class PlatformAdmins
{
    /// <summary>
    /// Waits for everybody else who takes an admin away, until the open transaction ends. Returns how many there are. As with organisations, an update
    /// that changes nothing locks the rows on PostgreSQL; on SQLite the transaction alone keeps other writers out.
    /// </summary>
    public static Task<int> LockPlatformAdminsAsync(this IdentityDb db, CancellationToken cancel) =>
        db.Accounts.Where(a => a.PlatformRole == PlatformRole.Admin).ExecuteUpdateAsync(a => a.SetProperty(x => x.PlatformRole, x => x.PlatformRole), cancel);
}
