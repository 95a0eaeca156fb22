using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.Accounts;

/// <summary>
/// Judges a password. It costs the same for known, unknown and locked accounts, and a locked one answers like a wrong password.
/// Failures are counted in one statement: guesses made at the same time all count.
/// </summary>
internal sealed class PasswordCheck(IdentityDb db, IPasswordHasher<Account> hasher, TimeProvider time)
{
    public const int MaxFailures = 5;
    public static readonly TimeSpan Lockout = TimeSpan.FromMinutes(5);

    private static readonly Account Nobody = Account.New("nobody@tollgate.invalid", DateTimeOffset.UnixEpoch);
    private static string? _nobodysHash;

    public async Task<bool> IsRightAsync(Account? account, string password, CancellationToken cancel)
    {
        if (password.Length > PasswordRules.MaxLength) password = "";   // never one of ours; hashed all the same
        var verified = account?.PasswordHash is { } hash
            ? hasher.VerifyHashedPassword(account, hash, password)
            : Reject(hasher.VerifyHashedPassword(Nobody, _nobodysHash ??= hasher.HashPassword(Nobody, Guid.NewGuid().ToString()), password));
        if (account is null) return false;

        var now = time.GetUtcNow();
        var isLocked = account.LockoutEnd > now;
        var self = db.Accounts.Where(a => a.Id == account.Id);
        if (verified == PasswordVerificationResult.Failed)
        {
            var until = (DateTimeOffset?)(now + Lockout);
            if (!isLocked)
                await self.ExecuteUpdateAsync(a => a
                    .SetProperty(x => x.LockoutEnd, x => x.AccessFailedCount + 1 >= MaxFailures ? until : x.LockoutEnd)
                    .SetProperty(x => x.AccessFailedCount, x => x.AccessFailedCount + 1 >= MaxFailures ? 0 : x.AccessFailedCount + 1), cancel);
            return false;
        }

        if (isLocked) return false;
        if (account.AccessFailedCount > 0) await self.ExecuteUpdateAsync(a => a.SetProperty(x => x.AccessFailedCount, 0), cancel);
        if (verified == PasswordVerificationResult.SuccessRehashNeeded)
        {
            var stronger = hasher.HashPassword(account, password);
            await self.ExecuteUpdateAsync(a => a.SetProperty(x => x.PasswordHash, stronger), cancel);
        }

        return true;
    }

    private static PasswordVerificationResult Reject(PasswordVerificationResult _) => PasswordVerificationResult.Failed;
}
