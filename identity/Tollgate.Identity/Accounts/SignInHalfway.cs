using System.Text.Json;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.Accounts;

/// <summary>Remembers, in a sealed cookie and for ten minutes, who has given the right password and still owes the second factor.</summary>
internal sealed class SignInHalfway(IdentityDb db, IDataProtectionProvider protection, IOptions<TollgateIdentityOptions> options, TimeProvider time)
{
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(10);
    private readonly ITimeLimitedDataProtector _seal = protection.CreateProtector("Tollgate.SignInHalfway").ToTimeLimitedDataProtector();

    private string CookieName => (options.Value.IsHttps ? "__Host-" : "") + "tollgate-halfway";

    public void Begin(HttpContext http, Account account, bool remember, string method)
    {
        var kept = JsonSerializer.Serialize(new Kept(account.Id, account.SecurityStamp!, remember, method));
        http.Response.Cookies.Append(CookieName, _seal.Protect(kept, time.GetUtcNow() + Life), Cookie());
    }

    /// <summary>Who it is; null when nobody is halfway, it was too long ago, or the password was changed since.</summary>
    public async Task<(Account Account, bool Remember, string Method)?> FindAsync(HttpContext http, CancellationToken cancel)
    {
        if (http.Request.Cookies[CookieName] is not { Length: > 0 and <= 4096 } cookie) return null;
        try
        {
            var kept = JsonSerializer.Deserialize<Kept>(_seal.Unprotect(cookie))!;
            return await db.Accounts.SingleOrDefaultAsync(a => a.Id == kept.Account && a.SecurityStamp == kept.Stamp, cancel) is { } account
                ? (account, kept.Remember, kept.Method)
                : null;
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            return null;
        }
    }

    public void End(HttpContext http) => http.Response.Cookies.Delete(CookieName, Cookie());

    private CookieOptions Cookie() =>
        new() { HttpOnly = true, IsEssential = true, Path = "/", SameSite = SameSiteMode.Lax, Secure = options.Value.IsHttps };

    private sealed record Kept(Guid Account, string Stamp, bool Remember, string Method);
}
