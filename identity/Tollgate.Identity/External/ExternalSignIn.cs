using System.Text.Json;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tollgate.Contracts;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Audit;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.Organisations;
using Tollgate.Identity.Sessions;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.External;

/// <summary>The configured issuers, one client each, for as long as the process lives.</summary>
internal sealed class ExternalIssuers(IOptions<TollgateIdentityOptions> options) : IDisposable
{
    private readonly Dictionary<string, ExternalIssuer> _all = options.Value.External.ToDictionary(o => o.Key, o => new ExternalIssuer(o.Key, o.Value), StringComparer.OrdinalIgnoreCase);

    public IReadOnlyList<(string Name, string Title)> List { get; } =
        [.. options.Value.External.OrderBy(o => o.Key, StringComparer.Ordinal).Select(o => (o.Key, o.Value.Title ?? o.Key))];

    public ExternalIssuer? Find(string name) => _all.GetValueOrDefault(name);

    public void Dispose()
    {
        foreach (var issuer in _all.Values) issuer.Dispose();
    }
}

/// <summary>
/// Signs people in through another issuer. An account that is there already is joined with another issuer's only by who is signed in to it:
/// an address alone proves nothing, confirmed or not.
/// </summary>
internal sealed partial class ExternalSignIn(
    IdentityDb db, UserManager<Account> users, SessionBook sessions, ExternalIssuers issuers, AccountMails mails, AuditLog audit, IDataProtectionProvider protection,
    IOptions<TollgateIdentityOptions> options, TimeProvider time, ILogger<ExternalSignIn> logger)
{
    public const string CallbackPath = "/account/external/callback";

    /// <summary>What may be kept of one question, sealed: requests with more in their cookies are refused on their way here.</summary>
    private const int MostKept = 15 * 1024;
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(15);

    /// <summary>Clocks differ.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);

    /// <summary>Browsers drop a cookie of more than 4 KiB, and where a person goes on to may be longer than that: then it is several.</summary>
    private static readonly ChunkingCookieManager Pieces = new();
    private readonly ITimeLimitedDataProtector _seal = protection.CreateProtector("Tollgate.External").ToTimeLimitedDataProtector();

    /// <summary>Where to lead the browser; null when there is no such issuer, or it is away.</summary>
    public async Task<string?> BeginAsync(HttpContext http, string provider, string? returnUrl, Guid? linkTo, ExternalWish wish, CancellationToken cancel)
    {
        if (issuers.Find(provider) is not { } issuer) return null;
        var question = new ExternalQuestion(issuer.Name, Secrets.New(), Secrets.New(), Secrets.New(), returnUrl, linkTo, wish, time.GetUtcNow());
        try
        {
            var address = await issuer.AddressAsync(question, RedirectUri, cancel);
            var kept = Seal(question);
            // Who came from too far away signs in all the same, and begins again there.
            if (kept.Length > MostKept) kept = Seal(question with { ReturnUrl = null });
            Pieces.AppendResponseCookie(http, CookieName, kept, Cookie());
            return address;
        }
        catch (Exception away) when (away is HttpRequestException or InvalidOperationException or TaskCanceledException or IOException && !cancel.IsCancellationRequested)
        {
            Log.Away(logger, issuer.Name, away.Message);
            return null;
        }
    }

    public async Task<ExternalOutcome> FinishAsync(HttpContext http, CancellationToken cancel)
    {
        var question = Take(http);
        if (question is null || issuers.Find(question.Provider) is not { } issuer || !Secrets.Same(question.State, http.Request.Query["state"].ToString()))
            return new ExternalOutcome.Failed("That took too long, or it did not begin here. Begin again.");
        if (http.Request.Query["code"].ToString() is not { Length: > 0 and <= 4096 } code) return new ExternalOutcome.Failed($"{issuer.Title} did not let you through. Begin again, or sign in with the password.");

        ExternalPerson? person;
        try
        {
            person = await issuer.RedeemAsync(code, http.Request.Query["iss"], question, RedirectUri, cancel);
        }
        catch (Exception away) when (away is HttpRequestException or InvalidOperationException or TaskCanceledException or IOException or JsonException && !cancel.IsCancellationRequested)
        {
            Log.Away(logger, issuer.Name, away.Message);
            person = null;
        }

        if (person is null)
        {
            await audit.AddAsync(db, "session.refused", issuer.Name, result: "external-answer");
            await db.SaveChangesAsync(cancel);
            return new ExternalOutcome.Failed($"What {issuer.Title} answered could not be verified. Begin again, or sign in with the password.");
        }

        if (IsTooOld(person, question))
        {
            await audit.AddAsync(db, "session.refused", issuer.Name, result: "external-not-fresh");
            await db.SaveChangesAsync(cancel);
            return new ExternalOutcome.Failed($"{issuer.Title} let you through without asking who you are, and that is too long ago for what you are about to do. Sign out there and begin again, or sign in with the password.");
        }

        var known = await users.FindByLoginAsync(issuer.Name, person.Subject);
        if (question.LinkTo is { } account) return await LinkAsync(http, account, issuer, person, known, cancel);
        if (known is not null) return new ExternalOutcome.Known(known, question.ReturnUrl, ProvenAt(person, question));
        var made = await MakeAsync(issuer, person, question, cancel);
        // Another page of the same person may have been first, at this very moment.
        return made is ExternalOutcome.Failed && await users.FindByLoginAsync(issuer.Name, person.Subject) is { } meanwhile ? new ExternalOutcome.Known(meanwhile, question.ReturnUrl, ProvenAt(person, question)) : made;
    }

    /// <summary>The other accounts that sign in to this one.</summary>
    public async Task<IReadOnlyList<(string Provider, string Title, string Key)>> ListAsync(Account account) =>
        [.. (await users.GetLoginsAsync(account)).Select(l => (l.LoginProvider, l.ProviderDisplayName ?? l.LoginProvider, l.ProviderKey))];

    /// <summary>Ends every session, the present one too: the caller opens a new one. A sentence when it cannot be taken away: it is the only way in.</summary>
    public async Task<string?> RemoveAsync(Account account, string provider, string key, CancellationToken cancel)
    {
        var logins = await users.GetLoginsAsync(account);
        if (!logins.Any(l => l.LoginProvider == provider && l.ProviderKey == key)) return "It is not connected.";
        if (account.PasswordHash is null && logins.Count == 1 && (await users.GetPasskeysAsync(account)).Count == 0)
            return "This is the only way into your account. Set a password or add a passkey first.";
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await audit.AddAsync(db, "connection.removed", account.Id.ToString());
        if (!(await users.RemoveLoginAsync(account, provider, key)).Succeeded)
        {
            db.ChangeTracker.Clear();
            return "It was changed at this very moment. Look again.";
        }

        await db.SaveChangesAsync(cancel);
        await sessions.EndAllAsync(account.Id, but: null, cancel);   // the security stamp is another by now; whoever came in by it is out
        await transaction.CommitAsync(cancel);
        return null;
    }

    private async Task<ExternalOutcome> LinkAsync(HttpContext http, Guid account, ExternalIssuer issuer, ExternalPerson person, Account? known, CancellationToken cancel)
    {
        if (http.User.Identity?.IsAuthenticated != true || http.User.UserId() != account) return new ExternalOutcome.Failed("You are signed in as somebody else by now. Begin again.");
        if (known is not null)
            return known.Id == account ? new ExternalOutcome.Linked() : new ExternalOutcome.Failed($"This {issuer.Title} account signs in to another account here already.");
        var row = await db.Accounts.SingleAsync(a => a.Id == account, cancel);
        await audit.AddAsync(db, "connection.added", account.ToString());
        var added = await TryAsync(() => users.AddLoginAsync(row, new UserLoginInfo(issuer.Name, person.Subject, issuer.Title)));
        if (!added)
            return (await users.FindByLoginAsync(issuer.Name, person.Subject))?.Id == account ? new ExternalOutcome.Linked()
                : new ExternalOutcome.Failed($"It could not be connected: this {issuer.Title} account signs in to another account here, or yours was changed at this very moment.");
        await db.SaveChangesAsync(cancel);
        await mails.SendConnectedAsync(row, issuer.Title, cancel);
        return new ExternalOutcome.Linked();
    }

    private async Task<ExternalOutcome> MakeAsync(ExternalIssuer issuer, ExternalPerson person, ExternalQuestion question, CancellationToken cancel)
    {
        if (person.Email is not { } email || !person.EmailVerified || EmailAddresses.WhatIsWrongWith(email) is not null)
            return new ExternalOutcome.Failed($"{issuer.Title} does not vouch for your e-mail address. Create an account with a password, then connect the two under Connected accounts.");
        if (await users.FindByEmailAsync(email) is not null)   // told only to who owns the address, as the issuer says
            return new ExternalOutcome.Failed($"There is an account with this address already. Sign in to it as always, then connect {issuer.Title} under Connected accounts.");

        var now = time.GetUtcNow();
        var account = Account.New(email, now);
        account.EmailConfirmed = true;
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (!await TryAsync(() => users.CreateAsync(account)) || !await TryAsync(() => users.AddLoginAsync(account, new UserLoginInfo(issuer.Name, person.Subject, issuer.Title))))
            return new ExternalOutcome.Failed("The account could not be made. Begin again.");
        var organisation = new Organisation { Id = OrganisationId.New(), Name = email[..Math.Min(email.Length, Organisation.MaxNameLength)], Created = now };
        db.Add(organisation);
        db.Add(new Membership { Organisation = organisation.Id, Account = account.Id, Role = OrganisationRole.Owner, Since = now });
        await audit.AddAsync(db, "account.registered", account.Id.ToString(), organisation.Id, actor: account.Id);
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return new ExternalOutcome.Known(account, question.ReturnUrl, ProvenAt(person, question));
    }

    private static bool IsTooOld(ExternalPerson person, ExternalQuestion question) =>
        question.Wish.MaxAgeSeconds is { } seconds && person.SignedInAt is { } at && at < question.Asked.AddSeconds(-seconds) - Skew;

    /// <summary>Who was asked anew has answered since the question, whatever the other clock says.</summary>
    private static DateTimeOffset? ProvenAt(ExternalPerson person, ExternalQuestion question) =>
        question.Wish.MaxAgeSeconds == 0 && person.SignedInAt < question.Asked ? question.Asked : person.SignedInAt;

    /// <summary>False where the rules or, when two came at once, the database refuse it: nothing of it is kept then.</summary>
    private async Task<bool> TryAsync(Func<Task<IdentityResult>> change)
    {
        try
        {
            if ((await change()).Succeeded) return true;
        }
        catch (DbUpdateException)
        {
            // Another request was first.
        }

        db.ChangeTracker.Clear();
        return false;
    }

    private string Seal(ExternalQuestion question) => _seal.Protect(JsonSerializer.Serialize(question), time.GetUtcNow() + Life);

    private ExternalQuestion? Take(HttpContext http)
    {
        if (Pieces.GetRequestCookie(http, CookieName) is not { Length: > 0 and <= MostKept } cookie) return null;
        Pieces.DeleteCookie(http, CookieName, Cookie());
        try
        {
            return JsonSerializer.Deserialize<ExternalQuestion>(_seal.Unprotect(cookie));
        }
        catch (Exception broken) when (broken is System.Security.Cryptography.CryptographicException or JsonException)
        {
            return null;
        }
    }

    private string RedirectUri => new Uri(options.Value.PublicUri, CallbackPath).ToString();

    private string CookieName => (options.Value.IsHttps ? "__Host-" : "") + "tollgate-external";

    // Lax: the answer comes by a link from the other issuer.
    private CookieOptions Cookie() => new() { HttpOnly = true, IsEssential = true, Path = "/", SameSite = SameSiteMode.Lax, Secure = options.Value.IsHttps };

    private static partial class Log
    {
        [LoggerMessage(3201, LogLevel.Warning, "The issuer {Provider} could not be reached, or answered nonsense: {Reason}")]
        public static partial void Away(ILogger logger, string provider, string reason);
    }
}

/// <summary>What came of another issuer's answer.</summary>
internal abstract record ExternalOutcome
{
    /// <param name="ProvenAt">When the person proved there who they are; null = now, for all that is known.</param>
    public sealed record Known(Account Account, string? ReturnUrl, DateTimeOffset? ProvenAt) : ExternalOutcome;

    public sealed record Linked : ExternalOutcome;
    public sealed record Failed(string Sentence) : ExternalOutcome;
}
