using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Audit;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.SecondFactor;

/// <summary>
/// The second factor: codes of an authenticator app, none of them good twice, and recovery codes for when it is lost. Wrong ones count as wrong
/// passwords do, and a locked account answers like a wrong code.
/// </summary>
internal sealed class SecondFactorService(
    IdentityDb db, Lockout lockout, RememberedDevices devices, AccountMails mails, AuditLog audit, IDataProtectionProvider protection, TimeProvider time)
{
    private static readonly TimeSpan SetUpLife = TimeSpan.FromHours(1);
    private readonly IDataProtector _keys = protection.CreateProtector("Tollgate.Totp");
    private readonly ITimeLimitedDataProtector _tickets = protection.CreateProtector("Tollgate.Totp.SetUp").ToTimeLimitedDataProtector();

    /// <summary>A key on its way to an app; kept only once a code of it was typed.</summary>
    public AuthenticatorOffer Offer(Account account, string? ticket)
    {
        var key = Open(account, ticket) ?? Totp.NewKey();
        var kept = _tickets.Protect($"{account.Id:N}:{Convert.ToHexString(key)}", time.GetUtcNow() + SetUpLife);
        return new AuthenticatorOffer(QrPicture.Of(Totp.Address(key, account.Email!)), Base32.Write(key), kept);
    }

    /// <summary>Turns the second factor on; the recovery codes are shown now and never again. Null: the code is not one of this key.</summary>
    public async Task<IReadOnlyList<string>?> TurnOnAsync(Account account, string ticket, string code, CancellationToken cancel)
    {
        if (Open(account, ticket) is not { } key || Totp.Find(key, code, time.GetUtcNow()) is not { } step) return null;
        var sealedKey = _keys.Protect(Convert.ToBase64String(key));
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await db.Accounts.Where(a => a.Id == account.Id).ExecuteUpdateAsync(a => a
            .SetProperty(x => x.TotpKey, sealedKey).SetProperty(x => x.TotpStep, (long?)step).SetProperty(x => x.TwoFactorEnabled, true), cancel);
        await devices.ForgetAsync(account.Id, cancel);
        var codes = await ReplaceCodesAsync(account, cancel);
        await audit.AddAsync(db, "second-factor.on", account.Id.ToString());
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        await mails.SendSecondFactorChangedAsync(account, isOn: true, cancel);
        return codes;
    }

    public async Task TurnOffAsync(Account account, CancellationToken cancel)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await db.Accounts.Where(a => a.Id == account.Id).ExecuteUpdateAsync(a => a
            .SetProperty(x => x.TotpKey, (string?)null).SetProperty(x => x.TotpStep, (long?)null).SetProperty(x => x.TwoFactorEnabled, false), cancel);
        await devices.ForgetAsync(account.Id, cancel);
        await db.RecoveryCodes.Where(c => c.Account == account.Id).ExecuteDeleteAsync(cancel);
        await audit.AddAsync(db, "second-factor.off", account.Id.ToString());
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        await mails.SendSecondFactorChangedAsync(account, isOn: false, cancel);
    }

    /// <summary>New recovery codes; the old ones are dead.</summary>
    public async Task<IReadOnlyList<string>> NewCodesAsync(Account account, CancellationToken cancel)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var codes = await ReplaceCodesAsync(account, cancel);
        await audit.AddAsync(db, "recovery-codes.made", account.Id.ToString());
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return codes;
    }

    public Task<int> CodesLeftAsync(Guid account, CancellationToken cancel) => db.RecoveryCodes.CountAsync(c => c.Account == account && c.UsedAt == null, cancel);

    /// <summary>Whether a code is one of the person's app, now, for the first time.</summary>
    public async Task<bool> IsRightAsync(Account account, string code, CancellationToken cancel)
    {
        var key = account.TotpKey is { } kept ? Convert.FromBase64String(_keys.Unprotect(kept)) : Totp.NewKey();
        var step = Totp.Find(key, code, time.GetUtcNow());
        var isRight = step is not null && account.TotpKey is not null && !lockout.IsLocked(account)
            // One statement: of two who type the same code at once, one is second.
            && await db.Accounts.Where(a => a.Id == account.Id && (a.TotpStep == null || a.TotpStep < step))
                .ExecuteUpdateAsync(a => a.SetProperty(x => x.TotpStep, step), cancel) == 1;
        await NoteAsync(account, isRight, "second-factor.refused", cancel);
        return isRight;
    }

    /// <summary>Whether a recovery code is one of the person's, and takes it out of use.</summary>
    public async Task<bool> UseRecoveryCodeAsync(Account account, string code, CancellationToken cancel)
    {
        var digest = RecoveryCodes.Digest(account.Id, code);
        var now = (DateTimeOffset?)time.GetUtcNow();
        var isRight = !lockout.IsLocked(account)
            && await db.RecoveryCodes.Where(c => c.Account == account.Id && c.Sha256 == digest && c.UsedAt == null)
                .ExecuteUpdateAsync(c => c.SetProperty(x => x.UsedAt, now), cancel) == 1;
        await NoteAsync(account, isRight, "recovery-code.refused", cancel);
        if (!isRight) return false;
        await audit.AddAsync(db, "recovery-code.used", account.Id.ToString(), actor: account.Id);
        await db.SaveChangesAsync(cancel);
        await mails.SendRecoveryCodeUsedAsync(account, await CodesLeftAsync(account.Id, cancel), cancel);
        return true;
    }

    private async Task NoteAsync(Account account, bool isRight, string refused, CancellationToken cancel)
    {
        if (isRight)
        {
            await lockout.ClearAsync(account, cancel);
            return;
        }

        await lockout.FailAsync(account, cancel);
        await audit.AddAsync(db, refused, account.Id.ToString(), result: "wrong-code");
        await db.SaveChangesAsync(cancel);
    }

    private async Task<IReadOnlyList<string>> ReplaceCodesAsync(Account account, CancellationToken cancel)
    {
        await db.RecoveryCodes.Where(c => c.Account == account.Id).ExecuteDeleteAsync(cancel);
        var codes = RecoveryCodes.New();
        db.AddRange(codes.Select(code => new RecoveryCode { Account = account.Id, Sha256 = RecoveryCodes.Digest(account.Id, code) }));
        return codes;
    }

    private byte[]? Open(Account account, string? ticket)
    {
        if (ticket is not { Length: > 0 and <= 2048 }) return null;
        try
        {
            return _tickets.Unprotect(ticket).Split(':') is [var owner, var key] && owner == account.Id.ToString("N") ? Convert.FromHexString(key) : null;
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            return null;   // an hour old, or never ours
        }
    }
}

/// <summary>What an authenticator app is shown.</summary>
/// <param name="Secret">For who cannot scan.</param>
/// <param name="Ticket">The same, sealed, for the form that comes back.</param>
public sealed record AuthenticatorOffer(QrPicture Picture, string Secret, string Ticket)
{
    /// <summary>In groups of four, as people read it off.</summary>
    public string Spelled => string.Join(' ', Secret.Chunk(4).Select(group => new string(group)));
}
