namespace Tollgate.Gateway.Policy;

/// <summary>Why the gateway says no: the closed list. Each has one problem type, status and metric tag (<see cref="Refusals"/>).</summary>
internal enum Refusal : byte
{
    None,
    BadRequest,
    UnknownRoute,
    MissingCredentials,
    InvalidCredentials,
    KeyRevoked,
    KeyExpired,
    TokenExpired,
    PaymentRequired,
    NotSubscribed,
    InsufficientScope,
    IpNotAllowed,
    OrganisationSuspended,
    ContentTooLarge,
    UnsupportedMediaType,
    SchemaViolation,
    RateLimited,
    QuotaExceeded,
    UpstreamUnreachable,
    CircuitOpen,
    NotReady,
    UpstreamTimeout,
}
