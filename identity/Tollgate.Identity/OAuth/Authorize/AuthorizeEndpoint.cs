using System.Globalization;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Tollgate.Identity.Accounts;
using Tollgate.Identity.Audit;
using Tollgate.Identity.OAuth.Clients;
using Tollgate.Identity.OAuth.Families;
using Tollgate.Identity.OAuth.Protocol;
using Tollgate.Identity.Sessions;
using Tollgate.Identity.Storage;

namespace Tollgate.Identity.OAuth.Authorize;

/// <summary>Gives a client the code of a person who is signed in and agrees: <c>/connect/authorize</c>, and the answer of its consent page.</summary>
internal sealed class AuthorizeEndpoint(
    IdentityDb db, AuthorizeReader reader, SessionBook sessions, AuditLog audit, IOptions<TollgateIdentityOptions> options, TimeProvider time)
{
    /// <summary>Set on the way through the sign-in page: only a session opened since then will do (milliseconds).</summary>
    private const string SignedInSince = "tollgate_signed_in_since";

    public static async Task<IResult> HandleAsync(HttpContext http, AuthorizeEndpoint endpoint, CancellationToken cancel)
    {
        AccountPages.Protect(http);
        var isPost = HttpMethods.IsPost(http.Request.Method);
        var parameters = isPost ? await Parameters.ReadFormAsync(http, cancel) : Parameters.OfQuery(http.Request);
        return parameters is null
            ? NotOurs("The application that sent you here did not send a form of ours.")
            : await endpoint.AnswerAsync(http, parameters, cancel);
    }

    /// <summary>The consent page's form: the request comes back with it, and is judged anew.</summary>
    public static Task<IResult> DecideAsync(HttpContext http, AuthorizeEndpoint endpoint, CancellationToken cancel) => endpoint.DecideAsync(http, cancel);

    private async Task<IResult> DecideAsync(HttpContext http, CancellationToken cancel)
    {
        var parameters = Parameters.Parse(http.Field(ConsentPage.RequestField));
        if (await reader.ReadAsync(parameters, cancel) is not AuthorizeReading.Good(var request) || await SessionAsync(http, cancel) is not { } session)
            return NotOurs("This page has gone stale. Go back to the application and begin again.");
        if (http.Field("decision") != "allow")
        {
            await audit.AddAsync(db, "consent.refused", request.Client.Client.ClientId);
            await db.SaveChangesAsync(cancel);
            return Refuse(http, request, new OAuthRefusal("access_denied", "The person said no."));
        }

        await RememberAsync(session.Account, request, cancel);
        return await GiveCodeAsync(http, request, session, cancel);
    }

    private async Task<IResult> AnswerAsync(HttpContext http, Parameters parameters, CancellationToken cancel)
    {
        switch (await reader.ReadAsync(parameters, cancel))
        {
            case AuthorizeReading.Untrusted(var sentence):
                return NotOurs(sentence);
            case AuthorizeReading.Refused(var redirectUri, var state, var refusal):
                return Redirect(http, redirectUri, state, Describe(refusal));
            case AuthorizeReading.Good(var request):
                var session = await SessionAsync(http, cancel);
                var quietly = request.Prompts.Contains("none");
                if (session is null || MustSignInAgain(request, parameters, session))
                    return quietly ? Refuse(http, request, new OAuthRefusal("login_required", "Nobody is signed in.")) : SignIn(http, request, parameters, session);
                if (!await NeedsConsentAsync(request, session.Account, cancel)) return await GiveCodeAsync(http, request, session, cancel);
                return quietly
                    ? Refuse(http, request, new OAuthRefusal("consent_required", "The person has not agreed yet."))
                    : AccountPages.Show<ConsentPage>(http, more:
                        [(nameof(ConsentPage.Client), request.Client.Client.Name), (nameof(ConsentPage.Scopes), request.Scopes), (nameof(ConsentPage.Request), parameters.Encode())]);
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private async Task<Session?> SessionAsync(HttpContext http, CancellationToken cancel) =>
        (await http.AuthenticateAsync(IdentityConstants.ApplicationScheme)).Principal is { } person ? await sessions.FindAsync(person, cancel) : null;

    private bool MustSignInAgain(AuthorizeRequest request, Parameters parameters, Session session)
    {
        if (long.TryParse(parameters[SignedInSince], NumberStyles.None, null, out var since)) return session.Opened.ToUnixTimeMilliseconds() < since;
        return request.Prompts.Contains("login") || request.Prompts.Contains("select_account")
            || (request.MaxAgeSeconds is { } seconds && (time.GetUtcNow() - session.Opened).TotalSeconds >= seconds);
    }

    /// <summary>To the sign-in page and back; with a session that is not fresh enough, past the page's shortcut for people who are signed in.</summary>
    private IResult SignIn(HttpContext http, AuthorizeRequest request, Parameters parameters, Session? session)
    {
        var more = session is null && request.Prompts.Count == 0 && request.MaxAgeSeconds is null
            ? "" : $"&{SignedInSince}={time.GetUtcNow().ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture)}";
        var back = options.Value.IssuerPath + OAuthPaths.Authorize + "?" + parameters.Encode(SignedInSince) + more;
        return AccountPages.SeeOther(http, $"{SessionCookie.SignInPath}?again=true&{SessionCookie.ReturnUrlParameter}={Uri.EscapeDataString(back)}");
    }

    private async Task<bool> NeedsConsentAsync(AuthorizeRequest request, Guid account, CancellationToken cancel)
    {
        if (request.Prompts.Contains("consent")) return true;
        if (!request.Client.Client.AsksConsent) return false;
        var clientId = request.Client.Client.ClientId;
        var given = await db.Consents.AsNoTracking().SingleOrDefaultAsync(c => c.Account == account && c.ClientId == clientId, cancel);
        return given is null || request.Scopes.Except(given.Scopes).Any();
    }

    private async Task RememberAsync(Guid account, AuthorizeRequest request, CancellationToken cancel)
    {
        var clientId = request.Client.Client.ClientId;
        var given = await db.Consents.SingleOrDefaultAsync(c => c.Account == account && c.ClientId == clientId, cancel);
        if (given is null) db.Add(given = new Consent { Account = account, ClientId = clientId, Scopes = [] });
        given.Scopes = [.. given.Scopes.Union(request.Scopes)];
        await audit.AddAsync(db, "consent.given", clientId);
        await db.SaveChangesAsync(cancel);
    }

    private async Task<IResult> GiveCodeAsync(HttpContext http, AuthorizeRequest request, Session session, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var stamp = await db.Accounts.Where(a => a.Id == session.Account).Select(a => a.SecurityStamp).SingleAsync(cancel);
        var family = new TokenFamily
        {
            Id = Guid.CreateVersion7(now), ClientId = request.Client.Client.ClientId, Account = session.Account, Session = session.Id, Stamp = stamp!,
            Scopes = [.. request.Scopes], Resources = [.. request.Resources], Methods = session.Methods, SignedIn = session.Opened, Created = now,
        };
        var handle = Secrets.New();
        db.Add(family);
        db.Add(new AuthorizationCode
        {
            Sha256 = Secrets.Sha256(handle), Family = family.Id, RedirectUri = request.RedirectUri, Challenge = request.Challenge, Nonce = request.Nonce,
            Expires = now.AddSeconds(options.Value.CodeLifetimeSeconds),
        });
        await audit.AddAsync(db, "code.issued", family.ClientId, actor: session.Account);
        await db.SaveChangesAsync(cancel);
        return Redirect(http, request.RedirectUri, request.State, [("code", handle)]);
    }

    private IResult Refuse(HttpContext http, AuthorizeRequest request, OAuthRefusal refusal) => Redirect(http, request.RedirectUri, request.State, Describe(refusal));

    private static (string, string)[] Describe(OAuthRefusal refusal) => [("error", refusal.Error), ("error_description", refusal.Description)];

    /// <summary>Back to the client, always with <c>iss</c> (RFC 9207), so that it knows who answers.</summary>
    private IResult Redirect(HttpContext http, string redirectUri, string? state, (string Name, string Value)[] answer)
    {
        var query = string.Join('&', answer.Append(("iss", options.Value.IssuerName)).Concat(state is null ? [] : [("state", state)])
            .Select(p => $"{p.Item1}={Uri.EscapeDataString(p.Item2)}"));
        http.Response.Headers.Location = redirectUri + (redirectUri.Contains('?') ? "&" : "?") + query;
        return Results.StatusCode(HttpMethods.IsPost(http.Request.Method) ? StatusCodes.Status303SeeOther : StatusCodes.Status302Found);
    }

    private static IResult NotOurs(string sentence) => AccountPages.Message(StatusCodes.Status400BadRequest, "This cannot go on", sentence);
}
