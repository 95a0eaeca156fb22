using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Accounts.Pages;
using Tollgate.Identity.Audit;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Families;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.Sessions;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Authorize;

/// <summary>Gives a client the code of a person who is signed in and agrees: <c>/connect/authorize</c>, and the answer of its consent page.</summary>
internal sealed class AuthorizeEndpoint(
    IdentityDb db, AuthorizeReader reader, PushedRequests pushed, ConsentBook consents, SessionBook sessions, AuditLog audit, IDataProtectionProvider protection,
    IOptions<TollgateIdentityOptions> options, TimeProvider time)
{
    /// <summary>Set on the way through the sign-in page: only a session opened since then will do. Ours alone can write it, for this request.</summary>
    private const string SignedInSince = "tollgate_signed_in_since";

    private static readonly TimeSpan MarkLife = TimeSpan.FromHours(1);

    /// <summary>Where a failure may be told, once that is certain.</summary>
    private ReplyTo? _trusted;

    public static async Task<IResult> HandleAsync(HttpContext http, AuthorizeEndpoint endpoint, CancellationToken cancel)
    {
        AccountPages.Protect(http);
        var isPost = HttpMethods.IsPost(http.Request.Method);
        var parameters = isPost ? await Parameters.ReadFormAsync(http, cancel) : Parameters.OfQuery(http.Request);
        if (parameters is null) return NotOurs("The application that sent you here did not send a form of ours.");
        return await endpoint.GuardAsync(http, () => endpoint.AnswerAsync(http, parameters, cancel));
    }

    /// <summary>The consent page's form: the request comes back with it, and is judged anew.</summary>
    public static Task<IResult> DecideAsync(HttpContext http, AuthorizeEndpoint endpoint, CancellationToken cancel) =>
        endpoint.GuardAsync(http, () => endpoint.DecideAsync(http, cancel));

    /// <summary>While the database is away the client is told so, or the person where the client is not certain yet.</summary>
    private async Task<IResult> GuardAsync(HttpContext http, Func<Task<IResult>> answer)
    {
        try
        {
            return await answer();
        }
        catch (Exception lost) when (OAuthSetup.IsDatabaseAway(lost))
        {
            if (_trusted is { } to) return AuthorizeAnswer.Refuse(http, to, options.Value.IssuerName, new OAuthRefusal("temporarily_unavailable", "Try again in a moment."));
            http.Response.Headers.RetryAfter = "5";
            return AccountPages.Message(StatusCodes.Status503ServiceUnavailable, "Not at the moment", "Something that is needed for this is away. Try again in a moment.");
        }
    }

    private async Task<IResult> DecideAsync(HttpContext http, CancellationToken cancel)
    {
        var parameters = Parameters.Parse(http.Field(ConsentPage.RequestField));
        if (await reader.ReadAsync(parameters, cancel) is not AuthorizeReading.Good(var request) || await SessionAsync(http, cancel) is not { } session
            || MustSignInAgain(request, parameters, session))
            return NotOurs("This page has gone stale. Go back to the application and begin again.");
        _trusted = request.ReplyTo;
        if (http.Field("decision") == "allow")
        {
            await consents.RememberAsync(session.Account, request.Client.Client.ClientId, request.Scopes, cancel);
            return await GiveCodeAsync(http, request, session, cancel);
        }

        await audit.AddAsync(db, "consent.refused", request.Client.Client.ClientId);
        await db.SaveChangesAsync(cancel);
        return await RefuseAsync(http, request, new OAuthRefusal("access_denied", "The person said no."), cancel);
    }

    private async Task<IResult> AnswerAsync(HttpContext http, Parameters parameters, CancellationToken cancel)
    {
        switch (await reader.ReadAsync(parameters, cancel))
        {
            case AuthorizeReading.Untrusted(var sentence):
                return NotOurs(sentence);
            case AuthorizeReading.Refused(var replyTo, var refusal):
                return AuthorizeAnswer.Refuse(http, replyTo, options.Value.IssuerName, refusal);
            case AuthorizeReading.Good(var request):
                _trusted = request.ReplyTo;
                return await AnswerAsync(http, parameters, request, cancel);
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private async Task<IResult> AnswerAsync(HttpContext http, Parameters parameters, AuthorizeRequest request, CancellationToken cancel)
    {
        var session = await SessionAsync(http, cancel);
        // A form of another site comes without our cookie (SameSite): asked once more by GET, the browser sends it.
        if (session is null && HttpMethods.IsPost(http.Request.Method) && http.Request.Headers["Sec-Fetch-Site"] == "cross-site"
            && Address(parameters) is { Length: <= InputLimits.Address } again)
            return AccountPages.SeeOther(http, again);

        var quietly = request.Prompts.Contains("none");
        if (session is null || MustSignInAgain(request, parameters, session))
        {
            if (quietly || IsSomebodyElse(request, parameters, session))
                return await RefuseAsync(http, request, new OAuthRefusal("login_required", "Nobody is signed in, or not in the way that was asked for."), cancel);
            await HoldAsync(request, cancel);
            return SignIn(http, request, parameters, session);
        }

        if (!request.Prompts.Contains("consent") && !await consents.IsNeededAsync(request.Client.Client, session.Account, request.Scopes, cancel))
            return await GiveCodeAsync(http, request, session, cancel);
        if (quietly) return await RefuseAsync(http, request, new OAuthRefusal("consent_required", "The person has not agreed yet."), cancel);
        await HoldAsync(request, cancel);
        AccountPages.LeadsTo(http, request.ReplyTo.RedirectUri);
        return AccountPages.Show<ConsentPage>(http, more:
            [(nameof(ConsentPage.Client), request.Client.Client.Name), (nameof(ConsentPage.Scopes), request.Scopes), (nameof(ConsentPage.Request), parameters.Encode())]);
    }

    private Task HoldAsync(AuthorizeRequest request, CancellationToken cancel) => request.PushedSha256 is { } digest ? pushed.HoldAsync(digest, cancel) : Task.CompletedTask;

    private async Task<Session?> SessionAsync(HttpContext http, CancellationToken cancel) =>
        (await http.AuthenticateAsync(IdentityConstants.ApplicationScheme)).Principal is { } person ? await sessions.FindAsync(person, cancel) : null;

    /// <summary>The person whom the client believes to know was asked for, and another one has signed in (OpenID Connect Core §3.1.2.2): asking on would never end.</summary>
    private bool IsSomebodyElse(AuthorizeRequest request, Parameters parameters, Session? session) =>
        session is not null && request.Person is { } person && person != session.Account.ToString() && Since(parameters) is { } since && session.Opened >= since;

    private bool MustSignInAgain(AuthorizeRequest request, Parameters parameters, Session session)
    {
        if (request.Person is { } person && person != session.Account.ToString()) return true;
        if (Since(parameters) is { } since && session.Opened >= since) return false;
        return request.AsksAnew || (request.MaxAgeSeconds is { } seconds && (time.GetUtcNow() - session.Opened).TotalSeconds >= seconds);
    }

    /// <summary>To the page for signing in, or for signing up where that is asked for, and back; with a session that is not fresh enough, past the page's shortcut for people who are signed in.</summary>
    private IResult SignIn(HttpContext http, AuthorizeRequest request, Parameters parameters, Session? session)
    {
        var more = session is null && request.Prompts.Count == 0 && request.MaxAgeSeconds is null ? "" : $"&{SignedInSince}={Uri.EscapeDataString(Mark(parameters))}";
        // The page's policy lets its form lead on to the client; of a pushed request it could not know whereto, and what stands beside that counts for nothing.
        if (request.PushedSha256 is not null) more += "&redirect_uri=" + Uri.EscapeDataString(request.ReplyTo.RedirectUri);
        var hint = request.LoginHint is { } email ? "&email=" + Uri.EscapeDataString(email) : "";
        // Who signs in through another issuer must not be known there for longer than is asked for here.
        var fresh = request.AsksAnew ? 0 : request.MaxAgeSeconds ?? (session is null ? null : 0);
        if (fresh is { } seconds) hint += $"&{AccountForm.Fresh}={seconds.ToString(CultureInfo.InvariantCulture)}";
        return AccountPages.SeeOther(http,
            $"{(request.Prompts.Contains("create") ? SessionCookie.SignUpPath : SessionCookie.SignInPath)}?again=true&{SessionCookie.ReturnUrlParameter}={Uri.EscapeDataString(Address(parameters, request.PushedSha256 is null ? [SignedInSince] : [SignedInSince, "redirect_uri"]) + more)}{hint}");
    }

    private string Address(Parameters parameters, params string[] without) => $"{options.Value.IssuerPath}{OAuthPaths.Authorize}?{parameters.Encode(without)}";

    private IDataProtector Marks(Parameters parameters) =>
        protection.CreateProtector("Tollgate.Identity.SignedInSince", Secrets.Sha256(parameters.Encode(SignedInSince, "redirect_uri")));

    private string Mark(Parameters parameters) => Marks(parameters).Protect(time.GetUtcNow().ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture));

    private DateTimeOffset? Since(Parameters parameters)
    {
        if (parameters[SignedInSince] is not { Length: < 500 } mark) return null;
        try
        {
            var since = DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(Marks(parameters).Unprotect(mark), CultureInfo.InvariantCulture));
            return since > time.GetUtcNow() - MarkLife ? since : null;   // an old address is no way around signing in again
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private async Task<IResult> GiveCodeAsync(HttpContext http, AuthorizeRequest request, Session session, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var handle = Secrets.New();
        var family = await TokenFamily.OfAsync(db, request.Client.Client, session, request.Scopes, request.Resources, now, cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        if (request.PushedSha256 is { } digest && !await pushed.UseAsync(digest, cancel)) return NotOurs("The request of the application was used already.");
        db.Add(family);
        db.Add(new AuthorizationCode
        {
            Sha256 = Secrets.Sha256(handle), Family = family.Id, RedirectUri = request.ReplyTo.RedirectUri, Challenge = request.Challenge, Nonce = request.Nonce,
            DpopKey = request.DpopKey, Expires = now.AddSeconds(options.Value.CodeLifetimeSeconds),
        });
        await audit.AddAsync(db, "code.issued", family.ClientId, actor: session.Account);
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return AuthorizeAnswer.Send(http, request.ReplyTo, options.Value.IssuerName, ("code", handle));
    }

    private async Task<IResult> RefuseAsync(HttpContext http, AuthorizeRequest request, OAuthRefusal refusal, CancellationToken cancel)
    {
        if (request.PushedSha256 is { } digest && !await pushed.UseAsync(digest, cancel)) return NotOurs("The request of the application was used already.");
        return AuthorizeAnswer.Refuse(http, request.ReplyTo, options.Value.IssuerName, refusal);
    }

    private static IResult NotOurs(string sentence) => AccountPages.Message(StatusCodes.Status400BadRequest, "This cannot go on", sentence);
}
