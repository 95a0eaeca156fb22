using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Tollgate.Contracts;
using Tollgate.Identity.Audit;
using Tollgate.Identity.Organisations;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.Accounts;

/// <summary>
/// Makes accounts, and proves their addresses. A known address answers like a new one, and its owner gets a mail. The link in the mail
/// asks for the password too: so nobody can prepare an account on a stranger's address and wait for the stranger to confirm it.
/// </summary>
internal sealed class SignUpService(
    IdentityDb db, UserManager<Account> users, IPasswordHasher<Account> hasher, PasswordCheck passwords, AccountMails mails, AuditLog audit, TimeProvider time)
{
    /// <summary>One sentence a field; empty = accepted.</summary>
    public async Task<IReadOnlyDictionary<string, string>> SignUpAsync(
        string email, string password, string organisationName, string? returnUrl, CancellationToken cancel)
    {
        var evenly = new EvenTime(time);
        var errors = new Dictionary<string, string>();
        if (EmailAddresses.WhatIsWrongWith(email) is { } wrongEmail) errors["email"] = wrongEmail;
        if (PasswordRules.WhatIsWrongWith(password, email) is { } wrongPassword) errors["password"] = wrongPassword;
        if (Organisation.WhatIsWrongWith(organisationName) is { } wrongName) errors["organisation"] = wrongName;
        if (errors.Count > 0) return errors;

        var known = await users.FindByEmailAsync(email);
        if (known is null) await MakeAsync(email, password, organisationName, returnUrl, cancel);
        else if (!known.EmailConfirmed) await MakeAgainAsync(known, password, organisationName, returnUrl, cancel);
        else await TellOwnerAsync(known, password, cancel);
        await evenly.PassAsync(cancel);
        return errors;
    }

    public async Task ResendAsync(string email, string? returnUrl, CancellationToken cancel)
    {
        var evenly = new EvenTime(time);
        if (await users.FindByEmailAsync(email) is { EmailConfirmed: false } account)
            await mails.SendConfirmationAsync(account, await users.GenerateEmailConfirmationTokenAsync(account), returnUrl, cancel);
        await evenly.PassAsync(cancel);
    }

    public async Task<ConfirmOutcome> ConfirmAsync(string id, string code, string password, CancellationToken cancel)
    {
        var account = Guid.TryParse(id, out var accountId) ? await db.Accounts.SingleOrDefaultAsync(a => a.Id == accountId, cancel) : null;
        if (account is null || account.EmailConfirmed
            || !await users.VerifyUserTokenAsync(account, MailedTokens.Confirm, UserManager<Account>.ConfirmEmailTokenPurpose, MailedTokens.Read(code)))
            return new ConfirmOutcome.LinkIsDead();
        if (!await passwords.IsRightAsync(account, password, cancel)) return new ConfirmOutcome.WrongPassword();

        account.EmailConfirmed = true;
        await audit.AddAsync(db, "account.confirmed", account.Id.ToString(), actor: account.Id);
        if (!(await users.UpdateSecurityStampAsync(account)).Succeeded)   // saves, and the link is spent
        {
            db.ChangeTracker.Clear();   // by who was quicker with it
            return new ConfirmOutcome.LinkIsDead();
        }

        return new ConfirmOutcome.Confirmed(account);
    }

    private async Task MakeAsync(string email, string password, string organisationName, string? returnUrl, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var account = Account.New(email, now);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        try
        {
            var made = await users.CreateAsync(account, password);
            if (!made.Succeeded) return;   // another sign-up of this address was faster
        }
        catch (DbUpdateException)
        {
            return;   // as above, and closer
        }

        var organisation = new Organisation { Id = OrganisationId.New(), Name = organisationName, Created = now };
        db.Add(organisation);
        db.Add(new Membership { Organisation = organisation.Id, Account = account.Id, Role = OrganisationRole.Owner, Since = now });
        await audit.AddAsync(db, "account.registered", account.Id.ToString(), organisation.Id, actor: account.Id);
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        await mails.SendConfirmationAsync(account, await users.GenerateEmailConfirmationTokenAsync(account), returnUrl, cancel);
    }

    /// <summary>Nobody has proven the address yet, so the latest wish holds; links of earlier mails are dead.</summary>
    private async Task MakeAgainAsync(Account account, string password, string organisationName, string? returnUrl, CancellationToken cancel)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        account.PasswordHash = hasher.HashPassword(account, password);
        (account.AccessFailedCount, account.LockoutEnd) = (0, null);
        var owned = db.Memberships.Where(m => m.Account == account.Id && m.Role == OrganisationRole.Owner).Select(m => m.Organisation);
        await db.Organisations.Where(o => owned.Contains(o.Id)).ExecuteUpdateAsync(o => o.SetProperty(x => x.Name, organisationName), cancel);
        await audit.AddAsync(db, "account.registered-again", account.Id.ToString());
        db.Entry(account).Property(a => a.Created).CurrentValue = time.GetUtcNow();   // it waits for its confirmation anew
        if (!(await users.UpdateSecurityStampAsync(account)).Succeeded)
        {
            db.ChangeTracker.Clear();   // another sign-up of this moment holds
            return;
        }

        await transaction.CommitAsync(cancel);
        await mails.SendConfirmationAsync(account, await users.GenerateEmailConfirmationTokenAsync(account), returnUrl, cancel);
    }

    private async Task TellOwnerAsync(Account account, string password, CancellationToken cancel)
    {
        hasher.HashPassword(account, password);   // costs what a new account costs
        await audit.AddAsync(db, "account.register-known", account.Id.ToString(), result: "known");
        await db.SaveChangesAsync(cancel);
        await mails.SendAlreadyKnownAsync(account, cancel);
    }
}

/// <summary>What became of a confirmation link.</summary>
internal abstract record ConfirmOutcome
{
    public sealed record Confirmed(Account Account) : ConfirmOutcome;
    public sealed record WrongPassword : ConfirmOutcome;

    /// <summary>Used, too old, replaced by a later mail, or never one of ours.</summary>
    public sealed record LinkIsDead : ConfirmOutcome;
}
