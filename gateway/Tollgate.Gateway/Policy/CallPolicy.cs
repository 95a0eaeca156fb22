using System.Net;
using Tollgate.Gateway.Policy.Credentials;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Plans;
using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.Gateway.Policy;

/// <summary>
/// The path of a call, in its order: arrival, routing, addresses, rate limits of the file, authentication, authorization, plan limits and quotas. Forwarding and metering are the engine's,
/// after a granted verdict. Asked again with <c>final</c> after a pending verdict, it decides with what it has.
/// </summary>
internal sealed class CallPolicy(
    RouteTable routes,
    CredentialTable credentials,
    EntitlementTable entitlements,
    PlanLimits limits,
    TokenTable tokens,
    Feeds.Freshness freshness,
    Feeds.KeyUse use,
    ProofGuard proofs,
    long maxBodyBytes)
{
    /// <summary>How soon a node that has lost touch may have found it again.</summary>
    private const int RetryHighRiskSeconds = 5;

    public RouteTable Routes { get; } = routes;

    /// <summary>Of the configuration: answers and explanations can name it.</summary>
    public long Version { get; init; }

    /// <summary>Decides on a call. A key in its query is taken out of it, on routes that ask for one.</summary>
    public Verdict Decide(ref CallFacts call, ref Admission admission, bool final)
    {
        var verdict = FindRoute(in call, ref admission, final);
        if (!verdict.IsGranted) return call.ContentLength > maxBodyBytes ? Verdict.Refuse(Refusal.ContentTooLarge) : verdict;

        var route = admission.Route!;
        if (call.ContentLength > (route.Edge?.MaxBodyBytes ?? maxBodyBytes)) return Verdict.Refuse(Refusal.ContentTooLarge);
        if (route.Edge is { } edge && !edge.Admits(call.CertificateSubject)) return Verdict.Refuse(Refusal.CertificateNotAllowed);
        if (route.Addresses is { } addresses && !addresses.Admit(call.Remote)) return Verdict.Refuse(Refusal.IpNotAllowed);
        if (route.RateLimit is not null && CountForFile(route, in call, ref admission) is { IsGranted: false } over) return over;
        if (route.Product is null) return route.DemandsToken || route.Claims is not null || route.ClaimTransforms is not null ? AdmitToPlainRoute(route, in call, ref admission, final) : Verdict.Granted;

        if (route.KeyQuery is not null && !TakeQueryKey(route, ref call, ref admission)) return Verdict.Refuse(Refusal.BadRequest);
        verdict = Authenticate(route, in call, ref admission, final, out var token);
        if (verdict.IsGranted) verdict = Authorize(route, in call, ref admission, token);
        if (verdict.IsGranted) verdict = SpendLimits(route, in call, ref admission, final);
        return verdict;
    }

    /// <summary>Gives back what a call spent that no upstream answered.</summary>
    public void Refund(ref Admission admission)
    {
        if (!admission.Spent) return;
        admission.Spent = false;
        limits.Refund(admission.Entitlement!, admission.Route!.Units, in admission.Standing);
    }

    /// <summary>An admitted call has ended, however.</summary>
    public void End(ref Admission admission)
    {
        if (!admission.UnderWay) return;
        admission.UnderWay = false;
        limits.End(in admission.Standing);
    }

    private Verdict FindRoute(in CallFacts call, ref Admission admission, bool final)
    {
        if (call.Member is { } member)
        {
            (admission.Route, admission.Captures, admission.Fillings) = (member.Route, member.Captures, member.Fillings);
            return Verdict.Granted;
        }

        if (!Routes.TryMatch(call.Host, call.Method, call.Path, call.Query, out var route, ref admission.Captures, call.Headers))
            return Routes.Dynamic is { } services ? FindService(services, in call, ref admission, final) : Verdict.Refuse(Refusal.UnknownRoute);
        admission.Route = route;
        return route.Headers is { Placeholders.Length: > 0 } headers ? FillFromHeaders(route, headers, in call, ref admission) : Verdict.Granted;
    }

    private static Verdict FindService(IDynamicRoutes services, in CallFacts call, ref Admission admission, bool final)
    {
        var route = services.Find(call.Path, out var arrival);
        if (route is null) return arrival is null || final ? Verdict.Refuse(Refusal.UnknownRoute) : Verdict.Pending(arrival, Verdict.ServiceMs);
        if (!route.Methods.Contains(call.Method, MethodSet.IndexOf(call.Method)) || !route.Template.TryMatch(call.Path, call.Query, ref admission.Captures)) return Verdict.Refuse(Refusal.UnknownRoute);
        admission.Route = route;
        return Verdict.Granted;
    }

    private static Verdict CountForFile(Route route, in CallFacts call, ref Admission admission)
    {
        if (admission.FileRate.Answer == FileLimits.RateAnswer.NotAsked)
            admission.FileRate = route.RateLimit!.Count(call.Headers?.Header(route.RateLimit.Rule.ClientHeader), call.ArrivedUnixMs);
        return admission.FileRate.Answer switch
        {
            FileLimits.RateAnswer.Refused => Verdict.Refuse(Refusal.RateLimited, admission.FileRate.RetryAfterSeconds),
            FileLimits.RateAnswer.Unidentified => Verdict.Refuse(Refusal.NotReady),
            _ => Verdict.Granted,
        };
    }

    // Dots alone would climb in the path that they are put into.
    private static Verdict FillFromHeaders(Route route, HeaderPatterns headers, in CallFacts call, ref Admission admission)
    {
        var values = headers.Capture(call.Headers!);
        var first = route.Template.Placeholders.Length;
        var fillings = admission.Fillings = new string?[first + values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i].AsSpan().IndexOfAnyExcept('.') < 0) return Verdict.Refuse(Refusal.BadRequest);
            fillings[first + i] = values[i];
        }

        return Verdict.Granted;
    }

    // As in Ocelot: preflights are not asked, and any of the allowed scopes will do.
    private Verdict AdmitToPlainRoute(Route route, in CallFacts call, ref Admission admission, bool final)
    {
        if (call.Method == "OPTIONS") return Verdict.Granted;
        if (!route.DemandsToken) return Verdict.Refuse(Refusal.InsufficientScope);    // nobody whose claims could be looked at
        if (!BearerToken.TryRead(call.Authorization, out var text) && !BearerToken.TryReadBound(call.Authorization, out text)) return Verdict.Refuse(Refusal.MissingCredentials);

        var verdict = BelieveToken(text, route, in call, ref admission, final, out var token);
        if (!verdict.IsGranted || token is null) return verdict;
        admission.Token = token;
        if (route.AllowedScopes.Length > 0 && !HasAny(route.AllowedScopes, token.Scopes)) return Verdict.Refuse(Refusal.InsufficientScope);
        return UseClaims(route, in call, ref admission, token);
    }

    // What stands in the query's place in the template is found again without the key.
    private static bool TakeQueryKey(Route route, ref CallFacts call, ref Admission admission)
    {
        if (route.ForwardsCredentials && call.ApiKey is not null || !QueryKey.TryTake(call.Query, route.KeyQuery!, out var key, out var rest)) return true;
        call.ApiKey ??= key;
        if (route.ForwardsCredentials) return true;
        call.Query = rest;
        return route.Template.Placeholders.Length == 0 || route.Template.TryMatch(call.Path, rest, ref admission.Captures);
    }

    private Verdict Authenticate(Route route, in CallFacts call, ref Admission admission, bool final, out TokenIdentity? token)
    {
        token = null;
        Credential? credential;
        if (call.ApiKey is not null)
        {
            if (!credentials.TryFindKey(call.ApiKey, out credential)) return Verdict.Refuse(Refusal.InvalidCredentials);
            admission.AuthorizationIsOurs = BearerToken.TryRead(call.Authorization, out _) || BearerToken.IsBoundScheme(call.Authorization);
        }
        else if (BearerToken.TryRead(call.Authorization, out var text))
        {
            admission.AuthorizationIsOurs = true;
            var verdict = BearerOf(text, route, in call, ref admission, final, out token, out credential);
            if (!verdict.IsGranted) return verdict;
        }
        else if (BearerToken.TryReadBound(call.Authorization, out text))
        {
            admission.AuthorizationIsOurs = true;
            var verdict = TokenOf(text, route, in call, ref admission, final, out token, out credential);
            if (!verdict.IsGranted) return verdict;
        }
        else
        {
            return Verdict.Refuse(Refusal.MissingCredentials);    // nothing, or a scheme that is none of ours (RFC 6750 §3.1)
        }

        admission.Credential = credential;
        if (credential!.Revoked) return Verdict.Refuse(Refusal.KeyRevoked);
        if (credential.ExpiresUnixMs <= call.ArrivedUnixMs) return Verdict.Refuse(Refusal.KeyExpired);
        if (credential.HighRisk && !freshness.IsFresh) return Verdict.Refuse(Refusal.NotReady, RetryHighRiskSeconds);
        use.Note(credential, call.ArrivedUnixMs);
        return Verdict.Granted;
    }

    // Ours are known by their mark. An imported key may look like anything, also like a token: what cannot be verified as one is looked up as the other.
    private Verdict BearerOf(ReadOnlySpan<char> text, Route route, in CallFacts call, ref Admission admission, bool final, out TokenIdentity? token, out Credential? credential)
    {
        token = null;
        if (IsOurs(text)) return KeyOf(text, out credential);
        var isSigned = TokenTable.LooksSigned(text);
        if (!isSigned && credentials.TryFindKey(text, out credential)) return Verdict.Granted;
        var verdict = TokenOf(text, route, in call, ref admission, final, out token, out credential);
        return isSigned && token is null && verdict.Refusal == Refusal.InvalidCredentials ? KeyOf(text, out credential) : verdict;
    }

    private Verdict KeyOf(ReadOnlySpan<char> text, out Credential? credential) =>
        credentials.TryFindKey(text, out credential) ? Verdict.Granted : Verdict.Refuse(Refusal.InvalidCredentials);

    private Verdict TokenOf(ReadOnlySpan<char> text, Route route, in CallFacts call, ref Admission admission, bool final, out TokenIdentity? token, out Credential? credential)
    {
        credential = null;
        var verdict = BelieveToken(text, route, in call, ref admission, final, out token);
        if (!verdict.IsGranted) return verdict;
        return credentials.TryFindClient(token!, out credential) ? Verdict.Granted : Verdict.Refuse(Refusal.InvalidCredentials);
    }

    // Somebody vouches for it, it is for this route, was not taken back, and is shown by who may.
    private Verdict BelieveToken(ReadOnlySpan<char> text, Route route, in CallFacts call, ref Admission admission, bool final, out TokenIdentity? token)
    {
        var verdict = tokens.Authenticate(text, route.Providers, call.ArrivedUnixMs, final, out token);
        if (!verdict.IsGranted || token is null) return verdict;
        if (route.Audiences.Length > 0 && !token.IsFor(route.Audiences)) return Verdict.Refuse(Refusal.InvalidCredentials);
        if (credentials.IsRevoked(token)) return Verdict.Refuse(Refusal.KeyRevoked);
        return token.BoundTo is null && !BearerToken.IsBoundScheme(call.Authorization) ? Verdict.Granted : DpopCheck.Decide(token, text, in call, ref admission, proofs, final);
    }

    private Verdict Authorize(Route route, in CallFacts call, ref Admission admission, TokenIdentity? token)
    {
        var credential = admission.Credential!;
        if (credential.Networks.Length > 0 && !IsIn(credential.Networks, call.Remote)) return Verdict.Refuse(Refusal.IpNotAllowed);

        // A key without scopes of its own may all that its application may; a token may what it says.
        var scopes = token is null ? credential.Scopes : token.Scopes;
        if (scopes is not null && (!HasAll(route.Scopes, scopes) || route.AllowedScopes.Length > 0 && !HasAny(route.AllowedScopes, scopes)))
            return Verdict.Refuse(Refusal.InsufficientScope);
        if (token is not null && credential.Scopes is { } ceiling && !HasAll(route.Scopes, ceiling)) return Verdict.Refuse(Refusal.InsufficientScope);

        admission.Token = token;
        if (UseClaims(route, in call, ref admission, token) is { IsGranted: false } lacking) return lacking;

        if (credential.Application.Refusal is not Refusal.None and var suspended) return Verdict.Refuse(suspended);

        if (!entitlements.TryGet(credential.Application.Id, route.Product!, out var entitlement)) return Verdict.Refuse(Refusal.NotSubscribed);
        admission.Entitlement = entitlement = credential.Test ? entitlement.ForTests : entitlement;
        return entitlement.Refusal == Refusal.None ? Verdict.Granted : Verdict.Refuse(entitlement.Refusal);
    }

    // The claims that the route adds, what it requires, and what it sends on.
    private static Verdict UseClaims(Route route, in CallFacts call, ref Admission admission, TokenIdentity? token)
    {
        if (route.Claims is null && route.ClaimTransforms is null) return Verdict.Granted;
        if (token is null) return Verdict.Refuse(Refusal.InsufficientScope);

        var claims = token.Claims;
        var met = (route.ClaimTransforms is null || route.ClaimTransforms.TryExtend(ref claims)) &&
            (route.Claims is null || route.Claims.AreMet(in claims, in call, in admission)) &&
            (route.ClaimTransforms is null || route.ClaimTransforms.TryApply(in claims, ref admission));
        return met ? Verdict.Granted : Verdict.Refuse(Refusal.InsufficientScope);
    }

    private Verdict SpendLimits(Route route, in CallFacts call, ref Admission admission, bool final)
    {
        var verdict = limits.Decide(admission.Entitlement!, new LimitedCall(route.Units, route.Name, admission.Credential!.Id, call.ArrivedUnixMs), final, out admission.Standing);
        admission.Spent = admission.UnderWay = verdict.IsGranted;
        return verdict;
    }

    private static bool IsOurs(ReadOnlySpan<char> bearer) => bearer.StartsWith("tg_", StringComparison.Ordinal);

    private static bool IsIn(IPNetwork[] networks, IPAddress? remote)
    {
        if (remote is null) return false;
        foreach (var network in networks)
            if (network.Contains(remote))
                return true;
        return false;
    }

    private static bool HasAll(string[] needed, string[] held)
    {
        foreach (var scope in needed)
            if (Array.IndexOf(held, scope) < 0)
                return false;
        return true;
    }

    private static bool HasAny(string[] allowed, string[] held)
    {
        foreach (var scope in allowed)
            if (Array.IndexOf(held, scope) >= 0)
                return true;
        return false;
    }
}
