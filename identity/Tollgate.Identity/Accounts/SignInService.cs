using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Tollgate.Identity.Audit;
using Tollgate.Identity.SecondFactor;
using Tollgate.Identity.Sessions;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.Accounts;

/// <summary>Opens and ends sessions.</summary>
internal sealed class SignInService(
    IdentityDb db, UserManager<Account> users, SignInManager<Account> sessions, PasswordCheck passwords, SecondFactorService secondFactor, RememberedDevices devices, SignInHalfway halfway,
    AuditLog audit, TimeProvider time)
{
    public async Task<SignInOutcome> SignInAsync(HttpContext http, string email, string password, bool remember, CancellationToken cancel)
    {
        var evenly = new EvenTime(time);
        var account = await users.FindByEmailAsync(email);
        var isRight = await passwords.IsRightAsync(account, password, cancel);
        if (!isRight)
        {
            await RefuseAsync(account?.Id.ToString() ?? "unknown", "wrong-password", cancel);
            await evenly.PassAsync(cancel);
            return new SignInOutcome.Refused();
        }

        if (!account!.EmailConfirmed)   // told only to who knows the password
        {
            await RefuseAsync(account.Id.ToString(), "not-confirmed", cancel);
            return new SignInOutcome.NotConfirmed();
        }

        return await GoOnAsync(http, account, remember, "pwd", cancel);
    }

    /// <summary>Lets somebody in who has proven one thing, or asks for the second.</summary>
    /// <param name="provenAt">When the person proved it, where that was not now.</param>
    public async Task<SignInOutcome> GoOnAsync(HttpContext http, Account account, bool remember, string method, CancellationToken cancel, DateTimeOffset? provenAt = null)
    {
        if (account.TwoFactorEnabled && !await devices.IsKnownAsync(http, account, cancel))
        {
            halfway.Begin(http, account, remember, method);
            return new SignInOutcome.NeedsSecondFactor();
        }

        await OpenAsync(account, remember, provenAt, [method], cancel);
        return new SignInOutcome.SignedIn();
    }

    /// <summary>The second half of a sign-in: a code of the app, or a recovery code.</summary>
    /// <param name="rememberDevice">Ask this browser for no code for a while. A recovery code is no occasion for that.</param>
    public async Task<SignInOutcome> FinishAsync(HttpContext http, string code, bool isRecoveryCode, bool rememberDevice, CancellationToken cancel)
    {
        if (await halfway.FindAsync(http, cancel) is not var (account, remember, method)) return new SignInOutcome.StartAgain();
        var isRight = isRecoveryCode
            ? await secondFactor.UseRecoveryCodeAsync(account, code, cancel)
            : await secondFactor.IsRightAsync(account, code, cancel);
        if (!isRight) return new SignInOutcome.Refused();
        halfway.End(http);
        if (rememberDevice && !isRecoveryCode) await devices.RememberAsync(http, account, cancel);
        await OpenAsync(account, remember, cancel, method, "otp", "mfa");
        return new SignInOutcome.SignedIn();
    }

    /// <summary>Opens a session for someone who has proven who they are, in these ways (RFC 8176).</summary>
    public Task OpenAsync(Account account, bool remember, CancellationToken cancel, params string[] methods) => OpenAsync(account, remember, null, methods, cancel);

    private async Task OpenAsync(Account account, bool remember, DateTimeOffset? provenAt, IReadOnlyList<string> methods, CancellationToken cancel)
    {
        await audit.AddAsync(db, "session.opened", account.Id.ToString(), result: AuditLog.Ok, actor: account.Id);
        await db.SaveChangesAsync(cancel);
        await sessions.SignInWithClaimsAsync(account, remember,
            [.. methods.Select(m => new Claim(SessionBook.MethodClaim, m)), .. provenAt is { } at ? [new Claim(SessionBook.ProvenAtClaim, SessionBook.Write(at))] : Array.Empty<Claim>()]);
    }

    public async Task SignOutAsync(ClaimsPrincipal user, CancellationToken cancel)
    {
        if (user.Identity?.IsAuthenticated == true)
        {
            await audit.AddAsync(db, "session.ended", user.UserId().ToString());
            await db.SaveChangesAsync(cancel);
        }

        await sessions.SignOutAsync();
    }

    private async Task RefuseAsync(string target, string reason, CancellationToken cancel)
    {
        await audit.AddAsync(db, "session.refused", target, result: reason);
        await db.SaveChangesAsync(cancel);
    }
}

/// <summary>What became of a wish to sign in.</summary>
internal abstract record SignInOutcome
{
    public sealed record SignedIn : SignInOutcome;

    /// <summary>Unknown, locked, or a wrong password or code: which, is nobody's business.</summary>
    public sealed record Refused : SignInOutcome;

    /// <summary>The password is right and the address not yet proven.</summary>
    public sealed record NotConfirmed : SignInOutcome;

    /// <summary>The password is right, and a code is owed.</summary>
    public sealed record NeedsSecondFactor : SignInOutcome;

    /// <summary>Nobody is halfway in: it took too long.</summary>
    public sealed record StartAgain : SignInOutcome;
}
