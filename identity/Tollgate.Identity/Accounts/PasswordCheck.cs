using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.Accounts;

/// <summary>
/// Judges a password. It costs the same for known, unknown and locked accounts, and a locked one answers like a wrong password.
/// </summary>
internal sealed class PasswordCheck(IdentityDb db, IPasswordHasher<Account> hasher, Lockout lockout)
{
    private static readonly Account Nobody = Account.New("nobody@tollgate.invalid", DateTimeOffset.UnixEpoch);
    private static string? _nobodysHash;

    public async Task<bool> IsRightAsync(Account? account, string password, CancellationToken cancel)
    {
        if (password.Length > PasswordRules.MaxLength) password = "";   // never one of ours; hashed all the same
        var verified = account?.PasswordHash is { } hash
            ? hasher.VerifyHashedPassword(account, hash, password)
            : Reject(hasher.VerifyHashedPassword(Nobody, _nobodysHash ??= hasher.HashPassword(Nobody, Guid.NewGuid().ToString()), password));
        if (account is null) return false;
        if (verified == PasswordVerificationResult.Failed)
        {
            await lockout.FailAsync(account, cancel);
            return false;
        }

        if (lockout.IsLocked(account)) return false;
        // Where a code follows, only the right code forgives: else who has the password could guess codes for ever.
        if (!account.TwoFactorEnabled) await lockout.ClearAsync(account, cancel);
        if (verified == PasswordVerificationResult.SuccessRehashNeeded)
        {
            var stronger = hasher.HashPassword(account, password);
            await db.Accounts.Where(a => a.Id == account.Id).ExecuteUpdateAsync(a => a.SetProperty(x => x.PasswordHash, stronger), cancel);
        }

        return true;
    }

    private static PasswordVerificationResult Reject(PasswordVerificationResult _) => PasswordVerificationResult.Failed;
}
