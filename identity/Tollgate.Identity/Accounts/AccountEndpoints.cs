using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Hosting;
using Tollgate.Identity.Accounts.Pages;
using Tollgate.Identity.External;
using Tollgate.Identity.Mail;
using Tollgate.Identity.Organisations;
using Tollgate.Identity.Passkeys;

namespace Tollgate.Identity.Accounts;

/// <summary>The pages under <c>/account</c>: each binds, asks one service, and shows what came of it.</summary>
internal static class AccountEndpoints
{
    public static void MapAccounts(this IEndpointRouteBuilder app)
    {
        var account = app.MapGroup("/account").AllowAnonymous();
        account.AddEndpointFilter(AccountPages.Guard);

        account.MapGet("/sign-in", ShowSignIn);
        account.MapPost("/sign-in", SignIn);
        account.MapGet("/sign-up", ShowSignUp);
        account.MapPost("/sign-up", SignUp);
        account.MapGet("/check-your-mail", CheckYourMail);
        account.MapPost("/resend", Resend);
        account.MapGet("/confirm", ShowConfirm);
        account.MapPost("/confirm", Confirm);
        account.MapGet("/forgot", ShowForgot);
        account.MapPost("/forgot", Forgot);
        account.MapGet("/reset", ShowReset);
        account.MapPost("/reset", Reset);
        account.MapGet("/sign-out", ShowSignOut);
        account.MapPost("/sign-out", SignOut);
        account.MapGet("/denied", Denied);
        account.MapGet("/two-factor", ShowTwoFactor);
        account.MapPost("/two-factor", TwoFactor);
        account.MapGet("/recovery", ShowRecovery);
        account.MapPost("/recovery", Recovery);
        account.MapGet("/passkey", ShowPasskey);
        account.MapPost("/passkey", Passkey);
        account.MapGet("/external/{provider}", BeginExternal);
        account.MapGet("/external/callback", FinishExternal);
        account.MapGet("/invitation", ShowInvitation);
        account.MapPost("/invitation", AcceptInvitation);
        app.MapSettings();
    }

    private static async Task<IResult> ShowSignIn(HttpContext http, CancellationToken cancel) => http.User.Identity?.IsAuthenticated == true && http.Field("again") != "true"
        ? AccountPages.SeeOther(http, http.ReturnUrl() ?? HomePage.Of(http))
        : AccountPages.Show<SignInPage>(http, more: [Providers(http), await PasskeyOfferAsync(http)], notice: http.Field("notice") switch
        {
            "reset" => "The new password is saved. Sign in with it.",
            "signed-out" => "You are signed out.",
            "again" => "Sign in once more, so that we know that it is you.",
            _ => null,
        });

    private static async Task<IResult> SignIn(HttpContext http, SignInService sessions, AccountLimits limits, CancellationToken cancel)
    {
        var email = http.Field("email");
        if (limits.SignIn(http.Connection.RemoteIpAddress, email) is { } wait) return AccountPages.TooMany<SignInPage>(http, wait, Providers(http));
        return await sessions.SignInAsync(http, email, http.Field("password"), http.Field("remember") == "true", cancel) switch
        {
            SignInOutcome.SignedIn => AccountPages.SeeOther(http, http.ReturnUrl() ?? HomePage.Of(http)),
            SignInOutcome.NeedsSecondFactor => AccountPages.SeeOther(http, WithReturn(http, "/account/two-factor")),
            SignInOutcome.NotConfirmed => AccountPages.SeeOther(http, CheckMail(http, "confirm")),
            _ => AccountPages.Refuse<SignInPage>(http, "The e-mail address or the password is not right.", more: Providers(http)),
        };
    }

    private static async Task<IResult> ShowTwoFactor(HttpContext http, SignInHalfway halfway, CancellationToken cancel) =>
        await halfway.FindAsync(http, cancel) is null ? StartAgain(http) : AccountPages.Show<TwoFactorPage>(http, more: DeviceDays(http));

    private static Task<IResult> TwoFactor(HttpContext http, SignInService sessions, SignInHalfway halfway, AccountLimits limits, CancellationToken cancel) =>
        Finish<TwoFactorPage>(http, sessions, halfway, limits, isRecoveryCode: false, cancel);

    private static async Task<IResult> ShowRecovery(HttpContext http, SignInHalfway halfway, CancellationToken cancel) =>
        await halfway.FindAsync(http, cancel) is null ? StartAgain(http) : AccountPages.Show<RecoveryPage>(http);

    private static Task<IResult> Recovery(HttpContext http, SignInService sessions, SignInHalfway halfway, AccountLimits limits, CancellationToken cancel) =>
        Finish<RecoveryPage>(http, sessions, halfway, limits, isRecoveryCode: true, cancel);

    private static async Task<IResult> Finish<TPage>(
        HttpContext http, SignInService sessions, SignInHalfway halfway, AccountLimits limits, bool isRecoveryCode, CancellationToken cancel) where TPage : Microsoft.AspNetCore.Components.IComponent
    {
        if (await halfway.FindAsync(http, cancel) is not var (account, _, _)) return StartAgain(http);
        (string, object)[] more = isRecoveryCode ? [] : [DeviceDays(http)];
        if (limits.SignIn(http.Connection.RemoteIpAddress, account.Id.ToString()) is { } wait) return AccountPages.TooMany<TPage>(http, wait, more);
        return await sessions.FinishAsync(http, http.Field("code"), isRecoveryCode, http.Field("device") == "true", cancel) switch
        {
            SignInOutcome.SignedIn => AccountPages.SeeOther(http, http.ReturnUrl() ?? HomePage.Of(http)),
            SignInOutcome.StartAgain => StartAgain(http),
            _ => AccountPages.Show<TPage>(http, more: more, errors: new Dictionary<string, string>
            {
                ["code"] = isRecoveryCode ? "This is none of your recovery codes, or it was used." : "This is not the code of now, or it was used. Wait for the next one.",
            }, status: StatusCodes.Status422UnprocessableEntity),
        };
    }

    private static async Task<IResult> ShowPasskey(HttpContext http, PasskeyService passkeys)
    {
        AccountPages.AllowScript(http);
        return AccountPages.Show<PasskeySignInPage>(http, more: (nameof(PasskeySignInPage.Question), await passkeys.AskAsync(http)));
    }

    private static async Task<IResult> Passkey(HttpContext http, PasskeyService passkeys, SignInService sessions, AccountLimits limits, CancellationToken cancel)
    {
        AccountPages.AllowScript(http);
        if (limits.Passkey(http.Connection.RemoteIpAddress) is { } wait)
            return AccountPages.TooMany<PasskeySignInPage>(http, wait, (nameof(PasskeySignInPage.Question), await passkeys.AskAsync(http)));
        switch (await passkeys.ProveAsync(http, AccountPages.PasskeyAnswer(http), cancel))
        {
            case PasskeyOutcome.Proven(var account, var methods):
                await sessions.OpenAsync(account, remember: false, cancel, methods);
                return AccountPages.SeeOther(http, http.ReturnUrl() ?? HomePage.Of(http));
            case PasskeyOutcome.Stale:
                return await AskAgainAsync("The page was open for too long, or was sent twice. Use the passkey once more.");
            default:
                return await AskAgainAsync("This passkey is not known here. Sign in with the password, and add it to your account.");
        }

        async Task<IResult> AskAgainAsync(string sentence) =>
            AccountPages.Refuse<PasskeySignInPage>(http, sentence, more: (nameof(PasskeySignInPage.Question), await passkeys.AskAsync(http)));
    }

    private static async Task<IResult> BeginExternal(string provider, HttpContext http, ExternalSignIn external, ExternalIssuers issuers, CancellationToken cancel)
    {
        if (issuers.Find(provider) is null) return AccountPages.Message(StatusCodes.Status404NotFound, "No such service", "Nobody signs in through it here.", "Sign in", SessionCookie.SignInPath);
        var fresh = int.TryParse(http.Field(AccountForm.Fresh), System.Globalization.NumberStyles.None, null, out var seconds) ? seconds : (int?)null;
        var hint = http.Field("hint") is { Length: > 0 and <= EmailAddresses.MaxLength } email && OneLine.Is(email) ? email : null;
        return await external.BeginAsync(http, provider, http.ReturnUrl(), null, new ExternalWish(hint, fresh), cancel) is { } address
            ? Results.Redirect(address)
            : AccountPages.Message(StatusCodes.Status502BadGateway, "That is away", "The other service does not answer. Sign in with the password, or try again later.", "Sign in", SessionCookie.SignInPath);
    }

    private static async Task<IResult> FinishExternal(HttpContext http, ExternalSignIn external, SignInService sessions, CancellationToken cancel)
    {
        switch (await external.FinishAsync(http, cancel))
        {
            case ExternalOutcome.Linked:
                return AccountPages.SeeOther(http, "/account/connections?notice=added");
            case ExternalOutcome.Known(var account, var returnUrl, var provenAt):
                var outcome = await sessions.GoOnAsync(http, account, remember: false, "fed", cancel, provenAt);
                var back = LocalUrl.From(returnUrl);
                return AccountPages.SeeOther(http, outcome is SignInOutcome.NeedsSecondFactor ? AccountPages.WithReturn("/account/two-factor", back) : back ?? HomePage.Of(http));
            case ExternalOutcome.Failed(var sentence):
                return AccountPages.Message(StatusCodes.Status400BadRequest, "That did not work", sentence, "Sign in", SessionCookie.SignInPath);
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private static async Task<IResult> ShowInvitation(HttpContext http, InvitationService invitations, CancellationToken cancel) => await Invitation(http, invitations, null, cancel);

    private static async Task<IResult> AcceptInvitation(HttpContext http, InvitationService invitations, CancellationToken cancel)
    {
        if (http.User.Identity?.IsAuthenticated != true) return await Invitation(http, invitations, null, cancel);
        return await invitations.AcceptAsync(http.User.UserId(), http.Field("code"), cancel) switch
        {
            MembershipOutcome.Done => AccountPages.SeeOther(http, "/account?notice=joined"),
            MembershipOutcome.ForSomebodyElse => await Invitation(http, invitations, "The invitation is for another address than yours.", cancel),
            MembershipOutcome.AlreadyMember => AccountPages.Message(StatusCodes.Status409Conflict, "You are a member already", "There is nothing more to do.", "Your account", "/account"),
            _ => DeadInvitation(),
        };
    }

    private static async Task<IResult> Invitation(HttpContext http, InvitationService invitations, string? wrong, CancellationToken cancel)
    {
        var code = http.Field("code");
        if (await invitations.FindAsync(code, cancel) is not { } offer) return DeadInvitation();
        return AccountPages.Show<InvitationPage>(http, wrong is null ? null : new Dictionary<string, string> { [AccountForm.Whole] = wrong },
            status: wrong is null ? StatusCodes.Status200OK : StatusCodes.Status403Forbidden, more:
            [(nameof(InvitationPage.Offer), offer), (nameof(InvitationPage.Code), code), (nameof(InvitationPage.SignedInAs), http.User.FindFirst(TollgateClaims.Email)?.Value!)]);
    }

    private static IResult DeadInvitation() => AccountPages.Message(StatusCodes.Status410Gone, "This invitation no longer works",
        "It was used already, withdrawn, or is older than a week. Ask for another one.", "Your account", "/account");

    private static (string, object) Providers(HttpContext http) => (nameof(SignInPage.Providers), http.RequestServices.GetRequiredService<ExternalIssuers>().List);

    /// <summary>The question for a passkey, which the browser offers beside remembered addresses. Not with a refusal: those are all alike.</summary>
    private static async Task<(string, object)> PasskeyOfferAsync(HttpContext http)
    {
        AccountPages.AllowScript(http);
        return (nameof(SignInPage.Passkey), await http.RequestServices.GetRequiredService<PasskeyService>().AskAsync(http));
    }

    private static (string, object) DeviceDays(HttpContext http) =>
        (nameof(TwoFactorPage.DeviceDays), http.RequestServices.GetRequiredService<IOptions<TollgateIdentityOptions>>().Value.RememberDeviceDays);

    private static string WithReturn(HttpContext http, string path) => AccountPages.WithReturn(path, http.ReturnUrl());

    private static IResult StartAgain(HttpContext http) => AccountPages.SeeOther(http, WithReturn(http, SessionCookie.SignInPath));

    private static IResult ShowSignUp(HttpContext http) => http.User.Identity?.IsAuthenticated == true && http.Field("again") != "true"
        ? AccountPages.SeeOther(http, http.ReturnUrl() ?? HomePage.Of(http))
        : AccountPages.Show<SignUpPage>(http);

    private static async Task<IResult> SignUp(HttpContext http, SignUpService accounts, AccountLimits limits, CancellationToken cancel)
    {
        var email = http.Field("email");
        if (limits.Mail(http.Connection.RemoteIpAddress, email) is { } wait) return AccountPages.TooMany<SignUpPage>(http, wait);
        var errors = await accounts.SignUpAsync(email, http.Field("password"), http.Field("organisation"), http.ReturnUrl(), cancel);
        return errors.Count == 0
            ? AccountPages.SeeOther(http, CheckMail(http, "confirm"))
            : AccountPages.Show<SignUpPage>(http, errors, status: StatusCodes.Status422UnprocessableEntity);
    }

    private static IResult CheckYourMail(HttpContext http) => AccountPages.Show<CheckYourMailPage>(http,
        notice: http.Field("notice") == "sent" ? "If the address waits for its confirmation, another mail is on its way." : null,
        more: (nameof(CheckYourMailPage.ShowsMailPage), MailEndpoints.AreShown(http.RequestServices)));

    private static async Task<IResult> Resend(HttpContext http, SignUpService accounts, AccountLimits limits, CancellationToken cancel)
    {
        var email = http.Field("email");
        if (limits.Mail(http.Connection.RemoteIpAddress, email) is { } wait) return AccountPages.TooMany<CheckYourMailPage>(http, wait);
        if (EmailAddresses.WhatIsWrongWith(email) is { } wrong)
            return AccountPages.Show<CheckYourMailPage>(http, new Dictionary<string, string> { ["email"] = wrong }, status: StatusCodes.Status422UnprocessableEntity);
        await accounts.ResendAsync(email, http.ReturnUrl(), cancel);
        return AccountPages.SeeOther(http, CheckMail(http, "confirm") + "&notice=sent");
    }

    // A GET changes nothing: mail scanners follow links too.
    private static IResult ShowConfirm(HttpContext http) => AccountPages.Show<ConfirmPage>(http);

    private static async Task<IResult> Confirm(
        HttpContext http, SignUpService accounts, SignInService sessions, AccountLimits limits, CancellationToken cancel)
    {
        var id = http.Field("id");
        if (limits.SignIn(http.Connection.RemoteIpAddress, id) is { } wait) return AccountPages.TooMany<ConfirmPage>(http, wait);
        switch (await accounts.ConfirmAsync(id, http.Field("code"), http.Field("password"), cancel))
        {
            case ConfirmOutcome.Confirmed(var account):
                var opened = await sessions.GoOnAsync(http, account, remember: false, "pwd", cancel);
                return AccountPages.SeeOther(http, opened is SignInOutcome.NeedsSecondFactor ? WithReturn(http, "/account/two-factor") : http.ReturnUrl() ?? HomePage.Of(http));
            case ConfirmOutcome.WrongPassword:
                return AccountPages.Show<ConfirmPage>(http, new Dictionary<string, string> { ["password"] = "This is not the password that was chosen for the account." },
                    status: StatusCodes.Status422UnprocessableEntity);
            default:
                return AccountPages.Message(StatusCodes.Status410Gone, "This link no longer works",
                    "It was used already, is older than a day, or a later mail took its place. If the account is confirmed, sign in; else sign up again.",
                    "Sign in", SessionCookie.SignInPath);
        }
    }

    private static IResult ShowForgot(HttpContext http) => AccountPages.Show<ForgotPage>(http);

    private static async Task<IResult> Forgot(HttpContext http, PasswordResetService resets, AccountLimits limits, CancellationToken cancel)
    {
        var email = http.Field("email");
        if (limits.Mail(http.Connection.RemoteIpAddress, email) is { } wait) return AccountPages.TooMany<ForgotPage>(http, wait);
        if (EmailAddresses.WhatIsWrongWith(email) is { } wrong)
            return AccountPages.Show<ForgotPage>(http, new Dictionary<string, string> { ["email"] = wrong }, status: StatusCodes.Status422UnprocessableEntity);
        await resets.AskAsync(email, cancel);
        return AccountPages.SeeOther(http, CheckMail(http, "reset"));
    }

    private static async Task<IResult> ShowReset(HttpContext http, PasswordResetService resets, CancellationToken cancel) =>
        await resets.IsLinkAliveAsync(http.Field("id"), http.Field("code"), cancel) ? AccountPages.Show<ResetPage>(http) : DeadResetLink();

    private static async Task<IResult> Reset(HttpContext http, PasswordResetService resets, AccountLimits limits, CancellationToken cancel)
    {
        var id = http.Field("id");
        if (limits.SignIn(http.Connection.RemoteIpAddress, id) is { } wait) return AccountPages.TooMany<ResetPage>(http, wait);
        return await resets.ResetAsync(id, http.Field("code"), http.Field("password"), cancel) switch
        {
            ResetOutcome.Done => AccountPages.SeeOther(http, SessionCookie.SignInPath + "?notice=reset"),
            ResetOutcome.Invalid(var sentence) => AccountPages.Show<ResetPage>(http, new Dictionary<string, string> { ["password"] = sentence },
                status: StatusCodes.Status422UnprocessableEntity),
            _ => DeadResetLink(),
        };
    }

    private static IResult ShowSignOut(HttpContext http) => AccountPages.Show<SignOutPage>(http);

    private static async Task<IResult> SignOut(HttpContext http, SignInService sessions, CancellationToken cancel)
    {
        await sessions.SignOutAsync(http.User, cancel);
        return AccountPages.SeeOther(http, http.ReturnUrl() ?? SessionCookie.SignInPath + "?notice=signed-out");
    }

    private static IResult Denied() => AccountPages.Message(StatusCodes.Status403Forbidden, "This is not yours to see",
        "Your role does not open this page. An owner or admin of your organisation can give you another.", "Back to the start", "/");

    private static IResult DeadResetLink() => AccountPages.Message(StatusCodes.Status410Gone, "This link no longer works",
        "It was used already, or is older than an hour. Ask for another one.", "Send another link", "/account/forgot");

    private static string CheckMail(HttpContext http, string reason) => "/account/check-your-mail?for=" + reason
        + (http.ReturnUrl() is { } back ? $"&{SessionCookie.ReturnUrlParameter}={Uri.EscapeDataString(back)}" : "");
}
