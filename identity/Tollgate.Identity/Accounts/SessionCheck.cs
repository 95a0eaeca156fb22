using System.Security.Claims;
using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.Sessions;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.Accounts;

/// <summary>Tells whether a session is still good, for circuits that outlive the request which brought the cookie: ask every minute.</summary>
public sealed class SessionCheck
{
    internal const string StampClaim = "stamp";

    private readonly IDbContextFactory<IdentityDb> _databases;

    internal SessionCheck(IDbContextFactory<IdentityDb> databases) => _databases = databases;

    /// <summary>False once the person signed out, the password was changed or reset, or the account is gone.</summary>
    public async Task<bool> IsCurrentAsync(ClaimsPrincipal user, CancellationToken cancel)
    {
        if (user.Identity?.IsAuthenticated != true) return false;
        var id = user.UserId();
        await using var db = await _databases.CreateDbContextAsync(cancel);
        var stamp = await db.Accounts.Where(a => a.Id == id).Select(a => a.SecurityStamp).SingleOrDefaultAsync(cancel);
        if (stamp is null || stamp != user.FindFirst(StampClaim)?.Value) return false;
        return Guid.TryParse(user.FindFirst(SessionBook.Claim)?.Value, out var session)
            && await db.Sessions.AnyAsync(s => s.Id == session && s.Account == id && s.EndedAt == null, cancel);
    }
}
