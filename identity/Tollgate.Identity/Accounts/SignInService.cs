using Microsoft.AspNetCore.Identity;
using Tollgate.Identity.Audit;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.Accounts;

/// <summary>Opens and ends sessions.</summary>
internal sealed class SignInService(
    IdentityDb db, UserManager<Account> users, SignInManager<Account> sessions, PasswordCheck passwords, AuditLog audit, TimeProvider time)
{
    public async Task<SignInOutcome> SignInAsync(string email, string password, bool remember, CancellationToken cancel)
    {
        var evenly = new EvenTime(time);
        var account = await users.FindByEmailAsync(email);
        var isRight = await passwords.IsRightAsync(account, password, cancel);
        var target = account?.Id.ToString() ?? "unknown";
        if (!isRight)
        {
            await audit.AddAsync(db, "session.refused", target, result: "wrong-password");
            await db.SaveChangesAsync(cancel);
            await evenly.PassAsync(cancel);
            return new SignInOutcome.Refused();
        }

        if (!account!.EmailConfirmed)   // told only to who knows the password
        {
            await audit.AddAsync(db, "session.refused", target, result: "not-confirmed");
            await db.SaveChangesAsync(cancel);
            return new SignInOutcome.NotConfirmed();
        }

        await OpenAsync(account, remember, cancel);
        return new SignInOutcome.SignedIn();
    }

    /// <summary>Opens a session for someone who has proven who they are.</summary>
    public async Task OpenAsync(Account account, bool remember, CancellationToken cancel)
    {
        await audit.AddAsync(db, "session.opened", account.Id.ToString(), actor: account.Id);
        await db.SaveChangesAsync(cancel);
        await sessions.SignInAsync(account, remember);
    }

    public async Task SignOutAsync(System.Security.Claims.ClaimsPrincipal user, CancellationToken cancel)
    {
        if (user.Identity?.IsAuthenticated == true)
        {
            await audit.AddAsync(db, "session.ended", user.UserId().ToString());
            await db.SaveChangesAsync(cancel);
        }

        await sessions.SignOutAsync();
    }
}

/// <summary>What became of a wish to sign in.</summary>
internal abstract record SignInOutcome
{
    public sealed record SignedIn : SignInOutcome;

    /// <summary>Unknown, locked, or a wrong password: which, is nobody's business.</summary>
    public sealed record Refused : SignInOutcome;

    /// <summary>The password is right and the address not yet proven.</summary>
    public sealed record NotConfirmed : SignInOutcome;
}
