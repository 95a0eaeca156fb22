using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Tollgate.Contracts;

namespace Tollgate.Gateway.Policy;

/// <summary>How a refusal looks from outside. Encoded once: a refusal costs no more than an answer.</summary>
internal sealed class RefusalFace
{
    public RefusalFace(string slug, int status, string title, string detail, string? challenge = null)
    {
        Slug = slug;
        Title = title;
        Status = status;
        Challenge = challenge;
        Detail = detail;
        Beginning = Encoding.UTF8.GetBytes(
            $"{{\"type\":{JsonSerializer.Serialize(Problem.Type(slug))},\"title\":{JsonSerializer.Serialize(title)},\"status\":{status},\"code\":\"{slug.Replace('-', '_')}\",\"detail\":\"{JsonEncodedText.Encode(detail, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\",\"instance\":\"");
    }

    /// <summary>The same with another status.</summary>
    public RefusalFace With(int status) => new(Slug, status, Title, Detail, Challenge);

    /// <summary>End of the problem's type; also what metrics and explanations call it. With <c>_</c> for <c>-</c> it is the document's <c>code</c>.</summary>
    public string Slug { get; }

    public int Status { get; }

    public string Title { get; }

    /// <summary>What happened and what to do next, in a sentence or two.</summary>
    public string Detail { get; }

    /// <summary><c>WWW-Authenticate</c> (RFC 6750 §3), null = none.</summary>
    public string? Challenge { get; }

    /// <summary>The document up to the value of <c>instance</c>.</summary>
    public byte[] Beginning { get; }
}

/// <summary>Every refusal's problem type, status and sentence, in one place.</summary>
internal static class Refusals
{
    private const string BadToken = "Bearer realm=\"tollgate\", error=\"invalid_token\"";

    private static readonly RefusalFace[] Faces = [.. Enum.GetValues<Refusal>().Select(Face)];
    private static readonly RefusalFace OcelotTimeout = Of(Refusal.UpstreamTimeout).With(503);
    private static readonly RefusalFace OcelotUpgrade = Of(Refusal.UpstreamUnreachable).With(500);

    public static RefusalFace Of(Refusal refusal) => Faces[(int)refusal];

    /// <summary>With the status that Ocelot gives: 503 where a service is late, 500 where it takes no upgrade.</summary>
    public static RefusalFace AsInOcelot(Refusal refusal, bool isUpgrade) => refusal switch
    {
        Refusal.UpstreamTimeout => OcelotTimeout,
        Refusal.UpstreamUnreachable when isUpgrade => OcelotUpgrade,
        _ => Of(refusal),
    };

    /// <summary>Of a message that the server itself refused.</summary>
    public static RefusalFace OfStatus(int status) => Of(ReasonOf(status));

    /// <summary>Why the server refused a message, or the rest of one.</summary>
    public static Refusal ReasonOf(int status) => status switch
    {
        408 => Refusal.RequestTimeout,
        413 => Refusal.ContentTooLarge,
        414 => Refusal.UriTooLong,
        431 => Refusal.HeadersTooLarge,
        505 => Refusal.VersionNotSupported,
        _ => Refusal.BadRequest,
    };

    /// <summary>Null: no refusal is called so.</summary>
    public static RefusalFace? BySlug(string slug) => Array.Find(Faces, face => face.Slug == slug);

    /// <summary><c>WWW-Authenticate</c> (RFC 6750 §3): who lacks a scope is told which the route asks for. Null = none.</summary>
    public static string? ChallengeOf(Refusal refusal, Routing.Route? route) =>
        refusal == Refusal.InsufficientScope && route?.ScopeChallenge is { } named ? named : Of(refusal).Challenge;

    private static RefusalFace Face(Refusal refusal) => refusal switch
    {
        Refusal.None => new("internal", 500, "Internal error", "Something went wrong inside the gateway. Try again, and give the request id to support if it stays."),
        Refusal.BadRequest => new("bad-request", 400, "Bad request", "The request is not well-formed HTTP, or holds a header that cannot be sent on. Correct it and try again."),
        Refusal.RequestTimeout => new("request-timeout", 408, "Request timeout", "The request did not arrive in time. Send it faster, on a new connection."),
        Refusal.UriTooLong => new("uri-too-long", 414, "URI too long", "The request line is longer than this gateway takes. Shorten path and query."),
        Refusal.HeadersTooLarge => new("headers-too-large", 431, "Request header fields too large", "The request's headers are larger, or more, than this gateway takes. Send fewer or shorter ones."),
        Refusal.VersionNotSupported => new("version-not-supported", 505, "HTTP version not supported", "This gateway speaks HTTP/1.0, HTTP/1.1 and HTTP/2. Use one of them."),
        Refusal.LoopDetected => new("loop-detected", 508, "Loop detected", "The call came back to this gateway again and again. The route's service must not lead back to the route."),
        Refusal.FileNotFound => new("not-found", 404, "Not found", "There is no such file. Check the path."),
        Refusal.UnknownRoute => new("unknown-route", 404, "Unknown route", "No route takes this method, host and path. Check them against the API's documentation."),
        Refusal.MissingCredentials => new("missing-credentials", 401, "Credentials are missing",
            "Send an API key in the X-Api-Key header, or a key or access token as Authorization: Bearer.", "Bearer realm=\"tollgate\""),
        Refusal.InvalidCredentials => new("invalid-credentials", 401, "Credentials are not valid",
            "The API key or access token is not known here or is damaged. Copy it again, whole, or get a new one.", BadToken),
        Refusal.KeyRevoked => new("key-revoked", 401, "Credentials were revoked", "This key or token was revoked. Use another key of the application.", BadToken),
        Refusal.KeyExpired => new("key-expired", 401, "Key has expired", "This API key has expired. Use the key that replaced it, or make a new one.", BadToken),
        Refusal.TokenExpired => new("token-expired", 401, "Token has expired", "The access token has expired. Get a new one and try again.",
            "Bearer realm=\"tollgate\", error=\"invalid_token\", error_description=\"The access token expired\""),
        Refusal.TokenBound => new("token-bound", 401, "Token is bound to a key", "This access token is of use to the holder of its key alone. Send it as Authorization: DPoP, with a proof in the DPoP header.",
            "Bearer realm=\"tollgate\", error=\"invalid_token\", error_description=\"The access token is bound to a key\""),
        Refusal.DpopProofInvalid => new("invalid-dpop-proof", 401, "Proof is not valid",
            "The DPoP header holds no fresh proof for this call and token, by the key that the token is bound to. Make a new one for each call.", "Bearer realm=\"tollgate\", error=\"invalid_dpop_proof\""),
        Refusal.PaymentRequired => new("payment-required", 402, "Payment required", "An invoice of this subscription is overdue. Pay it in the portal, and calls are admitted again."),
        Refusal.NotSubscribed => new("not-subscribed", 403, "Not subscribed", "The application has no active subscription to this product. Subscribe to one of its plans in the portal."),
        Refusal.SubscriptionPending => new("subscription-pending", 403, "Subscription is waiting",
            "The application's subscription to this product waits for an approval. Calls are admitted once it is given."),
        Refusal.SubscriptionPaused => new("subscription-paused", 403, "Subscription is paused",
            "The application's subscription to this product is paused. Resume it in the portal, and calls are admitted again."),
        Refusal.SubscriptionCancelled => new("subscription-cancelled", 403, "Subscription has ended",
            "The application's subscription to this product was cancelled. Subscribe to one of its plans in the portal."),
        Refusal.InsufficientScope => new("insufficient-scope", 403, "Insufficient scope",
            "The key or token lacks a scope or claim that this call needs. Use one that carries it.", "Bearer realm=\"tollgate\", error=\"insufficient_scope\""),
        Refusal.IpNotAllowed => new("ip-not-allowed", 403, "Address not allowed", "The call, or the key, may not come from this address. Call from an allowed network, or change the key's list in the portal."),
        Refusal.OriginNotAllowed => new("origin-not-allowed", 403, "Origin not allowed", "A page of this origin may not make this call with this method and these headers. The API's owner can allow it."),
        Refusal.CertificateNotAllowed => new("certificate-not-allowed", 403, "Certificate not allowed", "This call needs a client certificate that the route accepts. Show one, or ask the API's owner."),
        Refusal.OrganisationSuspended => new("organisation-suspended", 403, "Organisation is suspended", "The application's organisation is suspended. Ask its owner, or write to support."),
        Refusal.ApplicationSuspended => new("application-suspended", 403, "Application is suspended", "This application is suspended; others of its organisation may call. Ask its owner, or write to support."),
        Refusal.ContentTooLarge => new("content-too-large", 413, "Content too large", "The request body is larger than this gateway takes. Send less at a time."),
        Refusal.UnsupportedMediaType => new("unsupported-media-type", 415, "Unsupported media type", "The body's media type is not one that this call takes. See the API's documentation."),
        Refusal.SchemaViolation => new("schema-violation", 422, "Schema violation", "The body does not follow the schema of this call. See the API's documentation."),
        Refusal.RateLimited => new("rate-limited", 429, "Too many calls", "The plan's rate limit is reached. Wait as many seconds as Retry-After says."),
        Refusal.QuotaExceeded => new("quota-exceeded", 429, "Quota exceeded", "The plan's quota for this period is used up. Wait for the next period, or choose a larger plan in the portal."),
        Refusal.UpstreamUnreachable => new("upstream-unreachable", 502, "Service unreachable", "The service behind this route did not answer as it should. Try again later."),
        Refusal.CircuitOpen => new("circuit-open", 503, "Service is recovering", "The service behind this route failed too often and is given a rest. Wait as many seconds as Retry-After says."),
        Refusal.NotReady => new("not-ready", 503, "Not ready", "The gateway cannot decide on this call at the moment. Wait as many seconds as Retry-After says."),
        Refusal.UpstreamTimeout => new("upstream-timeout", 504, "Service timed out", "The service behind this route did not answer in time. Try again later."),
        Refusal.Misdirected => new("misdirected", 421, "Misdirected request", "This host asks for a client certificate, and this connection was opened for another host. Open one for this host."),
        _ => throw new ArgumentOutOfRangeException(nameof(refusal), refusal, "A refusal without a face."),
    };
}
