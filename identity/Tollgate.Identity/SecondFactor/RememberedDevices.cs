using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Audit;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.SecondFactor;

/// <summary>
/// Browsers that a person trusts enough to be asked for no code there. The cookie is a random handle; what it is worth is decided here each time,
/// and all of an account's are worth nothing after another password, with two-factor sign-in turned on or off, and when the person ends their sessions elsewhere.
/// </summary>
internal sealed class RememberedDevices(IdentityDb db, Caller caller, AuditLog audit, IOptions<TollgateIdentityOptions> options, TimeProvider time)
{
    private const int MostPerAccount = 20;

    private TimeSpan Life => TimeSpan.FromDays(options.Value.RememberDeviceDays);

    private string CookieName => (options.Value.IsHttps ? "__Host-" : "") + "tollgate-device";

    /// <summary>Asks this browser for no code of this account for the days that the operator allows.</summary>
    public async Task RememberAsync(HttpContext http, Account account, CancellationToken cancel)
    {
        if (options.Value.RememberDeviceDays == 0) return;
        var (now, handle) = (time.GetUtcNow(), Secrets.New());
        var oldest = await db.RememberedDevices.Where(d => d.Account == account.Id).OrderByDescending(d => d.Created).Skip(MostPerAccount - 1).Select(d => d.Sha256).ToListAsync(cancel);
        await db.RememberedDevices.Where(d => oldest.Contains(d.Sha256)).ExecuteDeleteAsync(cancel);
        db.Add(new RememberedDevice
        {
            Sha256 = Secrets.Sha256(handle), Account = account.Id, Stamp = account.SecurityStamp!, Created = now, Expires = now + Life,
            Agent = caller.Agent,
        });
        await audit.AddAsync(db, "second-factor.device-remembered", account.Id.ToString(), actor: account.Id);
        await db.SaveChangesAsync(cancel);
        var cookie = Cookie();
        cookie.MaxAge = Life;
        http.Response.Cookies.Append(CookieName, handle, cookie);
    }

    /// <summary>Whether this browser is one that the account is asked for no code in.</summary>
    public async Task<bool> IsKnownAsync(HttpContext http, Account account, CancellationToken cancel)
    {
        if (options.Value.RememberDeviceDays == 0 || http.Request.Cookies[CookieName] is not { Length: > 0 and <= 100 } handle) return false;
        var (digest, now) = (Secrets.Sha256(handle), time.GetUtcNow());
        return await db.RememberedDevices.AnyAsync(d => d.Sha256 == digest && d.Account == account.Id && d.Stamp == account.SecurityStamp && d.Expires > now, cancel);
    }

    public Task<int> CountAsync(Guid account, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        return db.RememberedDevices.CountAsync(d => d.Account == account && d.Expires > now && db.Accounts.Any(a => a.Id == account && a.SecurityStamp == d.Stamp), cancel);
    }

    /// <summary>Every browser is asked for a code again. Within the caller's transaction, where there is one.</summary>
    public async Task ForgetAsync(Guid account, CancellationToken cancel)
    {
        if (await db.RememberedDevices.Where(d => d.Account == account).ExecuteDeleteAsync(cancel) == 0) return;
        await audit.AddAsync(db, "second-factor.devices-forgotten", account.ToString());
        await db.SaveChangesAsync(cancel);
    }

    private CookieOptions Cookie() => new() { HttpOnly = true, IsEssential = true, Path = "/", SameSite = SameSiteMode.Lax, Secure = options.Value.IsHttps };
}
