using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;
using Tollgate.Identity.Mail;

namespace Tollgate.Identity.Accounts;

/// <summary>The mails that accounts get.</summary>
internal sealed class AccountMails(MailQueue queue, IOptions<TollgateIdentityOptions> options)
{
    private static readonly Dictionary<string, string?> NoQuery = [];

    public Task SendConfirmationAsync(Account account, string token, string? returnUrl, CancellationToken cancel)
    {
        var query = new Dictionary<string, string?> { ["id"] = account.Id.ToString("N"), ["code"] = MailedTokens.Write(token) };
        if (returnUrl is not null) query["returnUrl"] = returnUrl;
        return queue.SendAsync(Letter.To(account.Email!, "Confirm your address")
            .Say("Welcome to Tollgate. Confirm that this address is yours, and your account is ready.")
            .Offer("Confirm my address", Link("account/confirm", query))
            .Say("The link works for one day. If you did not ask for an account, ignore this mail: nothing happens without the password."), cancel);
    }

    public Task SendAlreadyKnownAsync(Account account, CancellationToken cancel) =>
        queue.SendAsync(Letter.To(account.Email!, "You already have an account")
            .Say("Someone, probably you, tried to sign up with this address. It has an account already.")
            .Offer("Sign in", Link("account/sign-in", NoQuery))
            .Say("If you forgot the password, choose another: " + Link("account/forgot", NoQuery))
            .Say("If it was not you, there is nothing to do: nothing has changed."), cancel);

    public Task SendResetAsync(Account account, string token, CancellationToken cancel) =>
        queue.SendAsync(Letter.To(account.Email!, "Choose a new password")
            .Say("Someone, probably you, asked for a new password for this address.")
            .Offer("Choose a new password", Link("account/reset", new() { ["id"] = account.Id.ToString("N"), ["code"] = MailedTokens.Write(token) }))
            .Say("The link works once, for one hour. If it was not you, ignore this mail: the password stays as it is."), cancel);

    public Task SendPasswordChangedAsync(Account account, CancellationToken cancel) =>
        queue.SendAsync(Letter.To(account.Email!, "Your password was changed")
            .Say("The password of your account was changed just now, and all its other sessions are signed out.")
            .Say("If it was not you, choose another at once: " + Link("account/forgot", NoQuery)), cancel);

    public Task SendSecondFactorChangedAsync(Account account, bool isOn, CancellationToken cancel) =>
        queue.SendAsync(Letter.To(account.Email!, isOn ? "Two-factor sign-in is on" : "Two-factor sign-in is off")
            .Say(isOn
                ? "From now on your account asks for a code of your authenticator app after the password. Keep the recovery codes where you find them without your phone."
                : "Your account no longer asks for a code after the password.")
            .Say("If it was not you, choose another password at once, and look at what else was changed: " + Link("account/forgot", NoQuery)), cancel);

    public Task SendRecoveryCodeUsedAsync(Account account, int left, CancellationToken cancel) =>
        queue.SendAsync(Letter.To(account.Email!, "A recovery code was used")
            .Say($"Someone, probably you, signed in with one of your recovery codes. {(left == 1 ? "One is" : $"{left} are")} left.")
            .Offer("Make new ones", Link("account/authenticator", NoQuery))
            .Say("If it was not you, choose another password at once: " + Link("account/forgot", NoQuery)), cancel);

    public Task SendPasskeyAddedAsync(Account account, string name, CancellationToken cancel) =>
        queue.SendAsync(Letter.To(account.Email!, "A passkey was added")
            .Say($"The passkey “{name}” can sign in to your account from now on.")
            .Offer("See your passkeys", Link("account/passkeys", NoQuery))
            .Say("If it was not you, remove it, and choose another password at once: " + Link("account/forgot", NoQuery)), cancel);

    public Task SendConnectedAsync(Account account, string provider, CancellationToken cancel) =>
        queue.SendAsync(Letter.To(account.Email!, "Another way to sign in was added")
            .Say($"Your account with {provider} can sign in to Tollgate from now on.")
            .Offer("See the ways to sign in", Link("account/connections", NoQuery))
            .Say("If it was not you, remove it, and choose another password at once: " + Link("account/forgot", NoQuery)), cancel);

    public Task SendDeletedAsync(string email, CancellationToken cancel) =>
        queue.SendAsync(Letter.To(email, "Your account is deleted")
            .Say("Your account, its sessions, tokens and passkeys are gone. Invoices stay as long as the law asks for.")
            .Say("If it was not you, answer the person who runs this service at once."), cancel);

    public Task SendInvitationAsync(string email, string organisation, string inviter, string role, string secret, CancellationToken cancel) =>
        queue.SendAsync(Letter.To(email, $"Join {organisation}")
            .Say($"{inviter} invites you to {organisation} on Tollgate, as {role}.")
            .Offer("See the invitation", Link("account/invitation", new() { ["code"] = secret }))
            .Say("The link works for seven days, once, and for this address alone. If you do not know the sender, ignore this mail."), cancel);

    private string Link(string path, Dictionary<string, string?> query) =>
        QueryHelpers.AddQueryString(new Uri(options.Value.PublicUri, path).ToString(), query);
}
