using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Tollgate.Identity.Accounts.Pages;
using Tollgate.Identity.Mail;

namespace Tollgate.Identity.Accounts;

/// <summary>The pages under <c>/account</c>: each binds, asks one service, and shows what came of it.</summary>
internal static class AccountEndpoints
{
    /// <summary>Where somebody goes who came in without a way to go on: the portal's checklist.</summary>
    private const string Home = "/start";

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
    }

    private static IResult ShowSignIn(HttpContext http) => http.User.Identity?.IsAuthenticated == true && http.Field("again") != "true"
        ? AccountPages.SeeOther(http, http.ReturnUrl() ?? Home)
        : AccountPages.Show<SignInPage>(http, notice: http.Field("notice") switch
        {
            "reset" => "The new password is saved. Sign in with it.",
            "signed-out" => "You are signed out.",
            _ => null,
        });

    private static async Task<IResult> SignIn(HttpContext http, SignInService sessions, AccountLimits limits, CancellationToken cancel)
    {
        var email = http.Field("email");
        if (limits.SignIn(http.Connection.RemoteIpAddress, email) is { } wait) return AccountPages.TooMany<SignInPage>(http, wait);
        return await sessions.SignInAsync(email, http.Field("password"), http.Field("remember") == "true", cancel) switch
        {
            SignInOutcome.SignedIn => AccountPages.SeeOther(http, http.ReturnUrl() ?? Home),
            SignInOutcome.NotConfirmed => AccountPages.SeeOther(http, CheckMail(http, "confirm")),
            _ => AccountPages.Refuse<SignInPage>(http, "The e-mail address or the password is not right."),
        };
    }

    private static IResult ShowSignUp(HttpContext http) => http.User.Identity?.IsAuthenticated == true
        ? AccountPages.SeeOther(http, http.ReturnUrl() ?? Home)
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
                await sessions.OpenAsync(account, remember: false, cancel);
                return AccountPages.SeeOther(http, http.ReturnUrl() ?? Home);
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
