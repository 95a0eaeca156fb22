using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Tollgate.Identity.Audit;
using Tollgate.Identity.OAuth.Tokens;
using Tollgate.Identity.Sessions;
using Tollgate.Identity.Storage;
using Tollgate.Storage.Feeds;

namespace Tollgate.Identity.Accounts;

/// <summary>Gives a forgotten password another, by mail. Every session of the account ends with it.</summary>
internal sealed class PasswordResetService(
    IdentityDb db, UserManager<Account> users, SessionBook sessions, AccountMails mails, PersonRevocations revocations, AuditLog audit, TimeProvider time)
{
    /// <summary>Takes the same time whether or not there is such an account.</summary>
    public async Task AskAsync(string email, CancellationToken cancel)
    {
        var evenly = new EvenTime(time);
        var account = await users.FindByEmailAsync(email);
        await audit.AddAsync(db, "password.reset-asked", account?.Id.ToString() ?? "unknown");
        await db.SaveChangesAsync(cancel);
        if (account is not null) await mails.SendResetAsync(account, await users.GeneratePasswordResetTokenAsync(account), cancel);
        await evenly.PassAsync(cancel);
    }

    public async Task<bool> IsLinkAliveAsync(string id, string code, CancellationToken cancel) => await FindAsync(id, code, cancel) is not null;

    public async Task<ResetOutcome> ResetAsync(string id, string code, string password, CancellationToken cancel)
    {
        if (await FindAsync(id, code, cancel) is not { } account) return new ResetOutcome.LinkIsDead();
        if (PasswordRules.WhatIsWrongWith(password, account.Email) is { } wrong) return new ResetOutcome.Invalid(wrong);

        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        // Who reads the mails of an address owns it: the address is proven, and a lock that a stranger caused is lifted.
        account.EmailConfirmed = true;
        (account.AccessFailedCount, account.LockoutEnd) = (0, null);
        await audit.AddAsync(db, "password.reset", account.Id.ToString(), actor: account.Id);
        var reset = await users.ResetPasswordAsync(account, MailedTokens.Read(code), password);
        if (!reset.Succeeded) return new ResetOutcome.LinkIsDead();   // the same link, twice at once
        await sessions.EndAllAsync(account.Id, but: null, cancel);
        await db.SaveWithChangesAsync([revocations.UntilThisSecond(account.Id)], cancel);
        await transaction.CommitAsync(cancel);
        await mails.SendPasswordChangedAsync(account, cancel);
        return new ResetOutcome.Done();
    }

    private async Task<Account?> FindAsync(string id, string code, CancellationToken cancel) =>
        Guid.TryParse(id, out var accountId)
        && await db.Accounts.SingleOrDefaultAsync(a => a.Id == accountId, cancel) is { } account
        && await users.VerifyUserTokenAsync(account, MailedTokens.Reset, UserManager<Account>.ResetPasswordTokenPurpose, MailedTokens.Read(code))
            ? account
            : null;
}

/// <summary>What became of a new password.</summary>
internal abstract record ResetOutcome
{
    public sealed record Done : ResetOutcome;
    public sealed record Invalid(string Sentence) : ResetOutcome;

    /// <summary>Used, too old, or never one of ours.</summary>
    public sealed record LinkIsDead : ResetOutcome;
}
