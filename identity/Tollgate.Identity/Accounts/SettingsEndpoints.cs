using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Routing;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts.Pages;
using Tollgate.Identity.External;
using Tollgate.Identity.ManagementTokens;
using Tollgate.Identity.OAuth.Authorize;
using Tollgate.Identity.Organisations;
using Tollgate.Identity.Passkeys;
using Tollgate.Identity.SecondFactor;
using Tollgate.Identity.Sessions;

namespace Tollgate.Identity.Accounts;

/// <summary>The pages on which people look after their own account. What could do harm asks for a recent sign-in.</summary>
internal static class SettingsEndpoints
{
    public static void MapSettings(this IEndpointRouteBuilder app)
    {
        var account = app.MapGroup("/account").RequireAuthorization(TollgatePolicies.Person);
        account.AddEndpointFilter(AccountPages.Guard);
        account.MapGet("", ShowOverview);
        account.MapGet("/sessions", ShowSessions);
        account.MapPost("/sessions/end", EndSession);
        account.MapPost("/sessions/end-others", EndOtherSessions);
        account.MapPost("/sessions/end-all", EndAllSessions);
        account.MapPost("/sessions/forget-devices", ForgetDevices);
        account.MapPost("/organisation", Choose);
        account.MapPost("/organisations", MakeOrganisation);
        account.MapGet("/password", ShowPassword);
        account.MapPost("/password", ChangePassword);
        account.MapGet("/authenticator", ShowAuthenticator);
        account.MapGet("/passkeys", ShowPasskeys);
        account.MapGet("/tokens", ShowTokens);
        account.MapPost("/tokens/revoke", RevokeToken);
        account.MapGet("/connections", ShowConnections);
        account.MapGet("/applications", ShowGrants);
        account.MapPost("/applications/withdraw", WithdrawGrant);
        account.MapGet("/delete", ShowDelete);

        var recent = account.MapGroup("").AddEndpointFilter(RecentSignIn.Filter);
        recent.MapPost("/authenticator", TurnOn);
        recent.MapPost("/authenticator/off", TurnOff);
        recent.MapPost("/recovery-codes", NewCodes);
        recent.MapPost("/passkeys", AddPasskey);
        recent.MapPost("/passkeys/rename", RenamePasskey);
        recent.MapPost("/passkeys/remove", RemovePasskey);
        recent.MapPost("/tokens", MakeToken);
        recent.MapPost("/connections", Connect);
        recent.MapPost("/connections/remove", Disconnect);
        recent.MapGet("/export", Export);
        recent.MapPost("/delete", Delete);
    }

    private static Task<IResult> ShowOverview(
        HttpContext http, AccountService accounts, SecondFactorService secondFactor, PasskeyService passkeys, MembershipService memberships, ExternalIssuers issuers, CancellationToken cancel) =>
        Overview(http, null, accounts, secondFactor, passkeys, memberships, issuers, cancel);

    private static async Task<IResult> Overview(
        HttpContext http, IReadOnlyDictionary<string, string>? errors, AccountService accounts, SecondFactorService secondFactor, PasskeyService passkeys,
        MembershipService memberships, ExternalIssuers issuers, CancellationToken cancel)
    {
        var me = await accounts.GetAsync(http.User, cancel);
        return AccountPages.Show<AccountPage>(http, errors, status: errors is null ? 200 : 422, notice: http.Field("notice") switch
        {
            "password" => "The new password is saved, and every other session is over.",
            "second-factor-off" => "Two-factor sign-in is off.",
            "joined" => "You are a member now, and look at the organisation.",
            _ => null,
        }, more:
        [
            (nameof(AccountPage.Email), me.Email!),
            (nameof(AccountPage.HasPassword), me.PasswordHash is not null),
            (nameof(AccountPage.HasProviders), issuers.List.Count > 0),
            (nameof(AccountPage.TwoFactor), me.TwoFactorEnabled),
            (nameof(AccountPage.CodesLeft), await secondFactor.CodesLeftAsync(me.Id, cancel)),
            (nameof(AccountPage.Passkeys), (await passkeys.ListAsync(me)).Count),
            (nameof(AccountPage.Sessions), (await accounts.SessionsAsync(me.Id, null, cancel)).Count),
            (nameof(AccountPage.Organisations), await memberships.MineAsync(me.Id, cancel)),
            (nameof(AccountPage.Chosen), (object?)http.User.OrganisationId() ?? default(OrganisationId)),
        ]);
    }

    private static async Task<IResult> ShowSessions(HttpContext http, AccountService accounts, RememberedDevices devices, CancellationToken cancel) => AccountPages.Show<SessionsPage>(http,
        notice: http.Field("notice") switch
        {
            "ended" => "Done: what you ended is over.",
            "forgotten" => "Done: every device is asked for a code again.",
            _ => null,
        },
        more: [(nameof(SessionsPage.Sessions), await accounts.SessionsAsync(http.User.UserId(), Current(http), cancel)),
            (nameof(SessionsPage.Devices), await devices.CountAsync(http.User.UserId(), cancel))]);

    private static async Task<IResult> ForgetDevices(HttpContext http, RememberedDevices devices, CancellationToken cancel)
    {
        await devices.ForgetAsync(http.User.UserId(), cancel);
        return AccountPages.SeeOther(http, "/account/sessions?notice=forgotten");
    }

    private static async Task<IResult> EndSession(HttpContext http, AccountService accounts, CancellationToken cancel) =>
        Guid.TryParse(http.Field("session"), out var session) && await accounts.EndSessionAsync(http.User.UserId(), session, cancel)
            ? AccountPages.SeeOther(http, "/account/sessions?notice=ended")
            : AccountPages.Message(StatusCodes.Status404NotFound, "No such session", "It is over already.", "Sessions", "/account/sessions");

    private static async Task<IResult> EndOtherSessions(HttpContext http, AccountService accounts, CancellationToken cancel)
    {
        await accounts.EndSessionsAsync(http.User.UserId(), Current(http), cancel);
        return AccountPages.SeeOther(http, "/account/sessions?notice=ended");
    }

    private static async Task<IResult> EndAllSessions(HttpContext http, AccountService accounts, SignInManager<Account> sessions, CancellationToken cancel)
    {
        await accounts.EndSessionsAsync(http.User.UserId(), but: null, cancel);
        await sessions.SignOutAsync();
        return AccountPages.SeeOther(http, SessionCookie.SignInPath + "?notice=signed-out");
    }

    private static async Task<IResult> Choose(HttpContext http, MembershipService memberships, CancellationToken cancel) =>
        Guid.TryParse(http.Field("organisation"), out var id) && await memberships.ChooseAsync(http.User.UserId(), new OrganisationId(id), cancel)
            ? AccountPages.SeeOther(http, http.ReturnUrl() ?? HomePage.Of(http))
            : AccountPages.Message(StatusCodes.Status404NotFound, "No such organisation", "You do not belong to it.", "Your account", "/account");

    private static async Task<IResult> MakeOrganisation(
        HttpContext http, MembershipService memberships, AccountService accounts, SecondFactorService secondFactor, PasskeyService passkeys, ExternalIssuers issuers, CancellationToken cancel) =>
        await memberships.CreateAsync(http.User.UserId(), http.Field("name"), cancel) switch
        {
            MembershipOutcome.Made => AccountPages.SeeOther(http, HomePage.Of(http)),
            MembershipOutcome.Invalid(var errors) => await Overview(http, errors, accounts, secondFactor, passkeys, memberships, issuers, cancel),
            _ => await Overview(http, new Dictionary<string, string> { ["name"] = $"You own {MembershipService.MaxOwned} organisations, which is as many as one may." },
                accounts, secondFactor, passkeys, memberships, issuers, cancel),
        };

    private static async Task<IResult> ShowPassword(HttpContext http, AccountService accounts, CancellationToken cancel) =>
        AccountPages.Show<PasswordPage>(http, more: (nameof(PasswordPage.HasPassword), (await accounts.GetAsync(http.User, cancel)).PasswordHash is not null));

    private static async Task<IResult> ChangePassword(
        HttpContext http, AccountService accounts, SignInService sessions, SessionBook book, AccountLimits limits, CancellationToken cancel)
    {
        var me = await accounts.GetAsync(http.User, cancel);
        var more = (nameof(PasswordPage.HasPassword), (object)(me.PasswordHash is not null));
        if (limits.SignIn(http.Connection.RemoteIpAddress, me.Email!) is { } wait) return AccountPages.TooMany<PasswordPage>(http, wait, more);
        if (me.PasswordHash is null && !await RecentSignIn.IsAsync(http)) return RecentSignIn.Ask(http);   // there is no present one to ask for
        var methods = (await book.FindAsync(http.User, cancel))?.Methods.Split(' ') ?? ["pwd"];
        var errors = await accounts.ChangePasswordAsync(me, http.Field("current"), http.Field("password"), cancel);
        if (errors.Count > 0) return AccountPages.Show<PasswordPage>(http, errors, status: StatusCodes.Status422UnprocessableEntity, more: more);
        await sessions.OpenAsync(me, remember: false, cancel, methods);
        return AccountPages.SeeOther(http, "/account?notice=password");
    }

    private static async Task<IResult> ShowAuthenticator(HttpContext http, AccountService accounts, SecondFactorService secondFactor, CancellationToken cancel)
    {
        var me = await accounts.GetAsync(http.User, cancel);
        return me.TwoFactorEnabled
            ? AccountPages.Show<AuthenticatorPage>(http, more: (nameof(AuthenticatorPage.CodesLeft), await secondFactor.CodesLeftAsync(me.Id, cancel)))
            : AccountPages.Show<AuthenticatorPage>(http, more: (nameof(AuthenticatorPage.Offer), secondFactor.Offer(me, null)));
    }

    private static async Task<IResult> TurnOn(HttpContext http, AccountService accounts, SecondFactorService secondFactor, AccountLimits limits, CancellationToken cancel)
    {
        var me = await accounts.GetAsync(http.User, cancel);
        if (me.TwoFactorEnabled) return AccountPages.SeeOther(http, "/account/authenticator");
        var ticket = http.Field("ticket");
        if (limits.SignIn(http.Connection.RemoteIpAddress, me.Email!) is { } wait)
            return AccountPages.TooMany<AuthenticatorPage>(http, wait, (nameof(AuthenticatorPage.Offer), secondFactor.Offer(me, ticket)));
        return await secondFactor.TurnOnAsync(me, ticket, http.Field("code"), cancel) is { } codes
            ? AccountPages.Show<AuthenticatorPage>(http, more: [(nameof(AuthenticatorPage.Codes), codes), (nameof(AuthenticatorPage.IsNew), true)])
            : AccountPages.Show<AuthenticatorPage>(http, new Dictionary<string, string> { ["code"] = "This is not the code of now. Wait for the next one and type it." },
                status: StatusCodes.Status422UnprocessableEntity, more: (nameof(AuthenticatorPage.Offer), secondFactor.Offer(me, ticket)));
    }

    private static async Task<IResult> TurnOff(HttpContext http, AccountService accounts, SecondFactorService secondFactor, CancellationToken cancel)
    {
        await secondFactor.TurnOffAsync(await accounts.GetAsync(http.User, cancel), cancel);
        return AccountPages.SeeOther(http, "/account?notice=second-factor-off");
    }

    private static async Task<IResult> NewCodes(HttpContext http, AccountService accounts, SecondFactorService secondFactor, CancellationToken cancel)
    {
        var me = await accounts.GetAsync(http.User, cancel);
        return me.TwoFactorEnabled
            ? AccountPages.Show<AuthenticatorPage>(http, more: (nameof(AuthenticatorPage.Codes), await secondFactor.NewCodesAsync(me, cancel)))
            : AccountPages.SeeOther(http, "/account/authenticator");
    }

    private static async Task<IResult> ShowPasskeys(HttpContext http, AccountService accounts, PasskeyService passkeys, CancellationToken cancel) =>
        await Passkeys(http, await accounts.GetAsync(http.User, cancel), passkeys, null);

    private static async Task<IResult> AddPasskey(HttpContext http, AccountService accounts, PasskeyService passkeys, CancellationToken cancel)
    {
        var me = await accounts.GetAsync(http.User, cancel);
        return await passkeys.AddAsync(http, me, AccountPages.PasskeyAnswer(http), http.Field("name"), cancel) is { } wrong
            ? await Passkeys(http, me, passkeys, wrong)
            : AccountPages.SeeOther(http, "/account/passkeys?notice=added");
    }

    private static async Task<IResult> RenamePasskey(HttpContext http, AccountService accounts, PasskeyService passkeys, CancellationToken cancel)
    {
        var me = await accounts.GetAsync(http.User, cancel);
        return await passkeys.RenameAsync(me, http.Field("id"), http.Field("name"), cancel) is { } wrong
            ? await Passkeys(http, me, passkeys, wrong)
            : AccountPages.SeeOther(http, "/account/passkeys?notice=renamed");
    }

    private static async Task<IResult> RemovePasskey(HttpContext http, AccountService accounts, PasskeyService passkeys, CancellationToken cancel)
    {
        var me = await accounts.GetAsync(http.User, cancel);
        return await passkeys.RemoveAsync(me, http.Field("id"), cancel)
            ? AccountPages.SeeOther(http, "/account/passkeys?notice=removed")
            : AccountPages.Message(StatusCodes.Status404NotFound, "No such passkey", "It was removed already.", "Passkeys", "/account/passkeys");
    }

    private static async Task<IResult> Passkeys(HttpContext http, Account me, PasskeyService passkeys, string? wrong)
    {
        AccountPages.AllowScript(http);
        return AccountPages.Show<PasskeysPage>(http, wrong is null ? null : new Dictionary<string, string> { [AccountForm.Whole] = wrong }, http.Field("notice") switch
        {
            "added" => "The passkey is added.",
            "renamed" => "The passkey has its new name.",
            "removed" => "The passkey is removed: it no longer signs in.",
            _ => null,
        }, wrong is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity,
            (nameof(PasskeysPage.Passkeys), await passkeys.ListAsync(me)), (nameof(PasskeysPage.Question), await passkeys.OfferAsync(http, me)));
    }

    private static Task<IResult> ShowTokens(HttpContext http, ManagementTokenService tokens, MembershipService memberships, CancellationToken cancel) =>
        Tokens(http, tokens, memberships, null, null, cancel);

    private static async Task<IResult> MakeToken(HttpContext http, ManagementTokenService tokens, MembershipService memberships, TimeProvider time, CancellationToken cancel)
    {
        if (http.User.OrganisationId() is not { } organisation) return AccountPages.SeeOther(http, "/account");
        var days = int.TryParse(http.Field("days"), NumberStyles.None, null, out var told) ? told : 90;
        string[] scopes = [.. http.Request.Form["scopes"].OfType<string>()];
        if (scopes.Length == 0) return await Tokens(http, tokens, memberships, null, new Dictionary<string, string> { ["scopes"] = "Choose one scope at least." }, cancel);
        var wish = new NewManagementToken(http.Field("name"), scopes, time.GetUtcNow().AddDays(Math.Clamp(days, 1, 366)));
        return await tokens.IssuePersonalAsync(http.User.UserId(), organisation, wish, cancel) switch
        {
            IssueTokenOutcome.Issued(var token) => await Tokens(http, tokens, memberships, token, null, cancel),
            IssueTokenOutcome.Invalid(var errors) => await Tokens(http, tokens, memberships, null, errors, cancel),
            IssueTokenOutcome.TooMany(var limit) => await Tokens(http, tokens, memberships, null,
                new Dictionary<string, string> { [AccountForm.Whole] = $"You have {limit} live tokens. Revoke one first." }, cancel),
            _ => AccountPages.SeeOther(http, SessionCookie.DeniedPath),
        };
    }

    private static async Task<IResult> RevokeToken(HttpContext http, ManagementTokenService tokens, CancellationToken cancel) =>
        Guid.TryParse(http.Field("id"), out var id) && await tokens.RevokeOwnAsync(http.User.UserId(), id, cancel)
            ? AccountPages.SeeOther(http, "/account/tokens?notice=revoked")
            : AccountPages.Message(StatusCodes.Status404NotFound, "No such token", "It is none of yours.", "Access tokens", "/account/tokens");

    private static async Task<IResult> Tokens(
        HttpContext http, ManagementTokenService tokens, MembershipService memberships, IssuedManagementToken? fresh, IReadOnlyDictionary<string, string>? errors, CancellationToken cancel)
    {
        var me = http.User.UserId();
        var organisation = (await memberships.MineAsync(me, cancel)).FirstOrDefault(o => o.Id == http.User.OrganisationId());
        return AccountPages.Show<TokensPage>(http, errors, http.Field("notice") == "revoked" ? "The token is revoked." : null,
            errors is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity,
            (nameof(TokensPage.Tokens), await tokens.ListOwnAsync(me, cancel)),
            (nameof(TokensPage.Scopes), organisation is null ? [] : ManagementScopes.Within(organisation.Role, http.User.PlatformRole())),
            (nameof(TokensPage.Organisation), organisation?.Name!), (nameof(TokensPage.Fresh), fresh!));
    }

    private static async Task<IResult> ShowGrants(HttpContext http, ConsentBook consents, CancellationToken cancel) => AccountPages.Show<GrantsPage>(http,
        notice: http.Field("notice") == "withdrawn" ? "It no longer acts for you." : null,
        more: (nameof(GrantsPage.Given), await consents.ListAsync(http.User.UserId(), cancel)));

    private static async Task<IResult> WithdrawGrant(HttpContext http, ConsentBook consents, CancellationToken cancel) =>
        await consents.WithdrawAsync(http.User.UserId(), http.Field("client"), cancel)
            ? AccountPages.SeeOther(http, "/account/applications?notice=withdrawn")
            : AccountPages.Message(StatusCodes.Status404NotFound, "No such application", "It does not act for you.", "Connected applications", "/account/applications");

    private static async Task<IResult> ShowConnections(HttpContext http, AccountService accounts, ExternalSignIn external, ExternalIssuers issuers, CancellationToken cancel) =>
        await Connections(http, await accounts.GetAsync(http.User, cancel), external, issuers, null);

    private static async Task<IResult> Connect(HttpContext http, ExternalSignIn external, ExternalIssuers issuers, CancellationToken cancel) =>
        await external.BeginAsync(http, http.Field("provider"), "/account/connections", http.User.UserId(), ExternalWish.None, cancel) is { } address
            // A page with a link, not a redirect: the policy of the page that posted lets a form lead nowhere else.
            ? AccountPages.Message(StatusCodes.Status200OK, "One more step", $"Sign in to {issuers.Find(http.Field("provider"))!.Title}, and the two are connected.", "Go on", address)
            : AccountPages.Message(StatusCodes.Status502BadGateway, "That is away", "The other service does not answer. Try again later.", "Back", "/account/connections");

    private static async Task<IResult> Disconnect(
        HttpContext http, AccountService accounts, ExternalSignIn external, ExternalIssuers issuers, SignInService sessions, SessionBook book, CancellationToken cancel)
    {
        var me = await accounts.GetAsync(http.User, cancel);
        var methods = (await book.FindAsync(http.User, cancel))?.Methods.Split(' ') ?? ["pwd"];
        if (await external.RemoveAsync(me, http.Field("provider"), http.Field("key"), cancel) is { } wrong) return await Connections(http, me, external, issuers, wrong);
        await sessions.OpenAsync(me, remember: false, cancel, methods);
        return AccountPages.SeeOther(http, "/account/connections?notice=removed");
    }

    private static async Task<IResult> Connections(HttpContext http, Account me, ExternalSignIn external, ExternalIssuers issuers, string? wrong)
    {
        var connected = await external.ListAsync(me);
        return AccountPages.Show<ConnectionsPage>(http, wrong is null ? null : new Dictionary<string, string> { [AccountForm.Whole] = wrong }, http.Field("notice") switch
        {
            "added" => "The two accounts are connected.",
            "removed" => "It no longer signs in to this account, and every other session is over.",
            _ => null,
        }, wrong is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity,
            (nameof(ConnectionsPage.Connections), connected),
            (nameof(ConnectionsPage.Providers), issuers.List.Where(i => !connected.Any(c => c.Provider == i.Name)).ToList()));
    }

    private static async Task<IResult> Export(HttpContext http, AccountService accounts, CancellationToken cancel) =>
        TypedResults.File(await accounts.ExportAsync(await accounts.GetAsync(http.User, cancel), cancel), "application/json", "tollgate-account.json");

    private static IResult ShowDelete(HttpContext http) =>
        AccountPages.Show<DeletePage>(http, more: (nameof(DeletePage.Email), http.User.FindFirst(TollgateClaims.Email)?.Value ?? http.User.Identity!.Name!));

    private static async Task<IResult> Delete(HttpContext http, AccountService accounts, SignInManager<Account> sessions, CancellationToken cancel)
    {
        var me = await accounts.GetAsync(http.User, cancel);
        var more = (nameof(DeletePage.Email), (object)me.Email!);
        if (!string.Equals(http.Field("email"), me.Email, StringComparison.OrdinalIgnoreCase))
            return AccountPages.Show<DeletePage>(http, new Dictionary<string, string> { ["email"] = "This is not the account's address." }, status: StatusCodes.Status422UnprocessableEntity, more: more);
        if (await accounts.DeleteAsync(me, cancel) is { } inTheWay)
            return AccountPages.Show<DeletePage>(http, new Dictionary<string, string> { [AccountForm.Whole] = inTheWay }, status: StatusCodes.Status409Conflict, more: more);
        await sessions.SignOutAsync();
        return AccountPages.Message(StatusCodes.Status200OK, "Your account is deleted", "You are signed out everywhere. Thank you for having been here.");
    }

    private static Guid? Current(HttpContext http) => Guid.TryParse(http.User.FindFirst(SessionBook.Claim)?.Value, out var id) ? id : null;
}
