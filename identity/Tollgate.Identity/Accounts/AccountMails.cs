using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Options;
using Tollgate.Identity.Mail;

namespace Tollgate.Identity.Accounts;

/// <summary>The mails that accounts get.</summary>
internal sealed class AccountMails(MailQueue queue, IOptions<TollgateIdentityOptions> options)
{
    private static readonly Dictionary<string, string?> NoQuery = [];

    public void SendConfirmation(Account account, string token, string? returnUrl)
    {
        var query = new Dictionary<string, string?> { ["id"] = account.Id.ToString("N"), ["code"] = MailedTokens.Write(token) };
        if (returnUrl is not null) query["returnUrl"] = returnUrl;
        queue.Send(Letter.To(account.Email!, "Confirm your address")
            .Say("Welcome to Tollgate. Confirm that this address is yours, and your account is ready.")
            .Offer("Confirm my address", Link("account/confirm", query))
            .Say("The link works for one day. If you did not ask for an account, ignore this mail: nothing happens without the password."));
    }

    public void SendAlreadyKnown(Account account) =>
        queue.Send(Letter.To(account.Email!, "You already have an account")
            .Say("Someone, probably you, tried to sign up with this address. It has an account already.")
            .Offer("Sign in", Link("account/sign-in", NoQuery))
            .Say("If you forgot the password, choose another: " + Link("account/forgot", NoQuery))
            .Say("If it was not you, there is nothing to do: nothing has changed."));

    public void SendReset(Account account, string token) =>
        queue.Send(Letter.To(account.Email!, "Choose a new password")
            .Say("Someone, probably you, asked for a new password for this address.")
            .Offer("Choose a new password", Link("account/reset", new() { ["id"] = account.Id.ToString("N"), ["code"] = MailedTokens.Write(token) }))
            .Say("The link works once, for one hour. If it was not you, ignore this mail: the password stays as it is."));

    public void SendPasswordChanged(Account account) =>
        queue.Send(Letter.To(account.Email!, "Your password was changed")
            .Say("The password of your account was changed just now, and all its sessions are being signed out.")
            .Say("If it was not you, choose another at once: " + Link("account/forgot", NoQuery)));

    private string Link(string path, Dictionary<string, string?> query) =>
        QueryHelpers.AddQueryString(new Uri(options.Value.PublicUri, path).ToString(), query);
}
