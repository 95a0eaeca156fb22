namespace Tollgate.Identity.OAuth.Protocol;

/// <summary>Why a request is refused, in the protocol's own words.</summary>
/// <param name="Description">ASCII without quotes and backslashes (RFC 6749 §5.2).</param>
/// <param name="RetryAfter">When it may be tried again.</param>
internal sealed record OAuthRefusal(string Error, string Description, int Status = 400, TimeSpan? RetryAfter = null)
{
    public static OAuthRefusal InvalidRequest(string description) => new("invalid_request", description);

    public static OAuthRefusal InvalidClient(string description = "The client is unknown or could not prove itself.") => new("invalid_client", description, 401);

    public static OAuthRefusal InvalidGrant(string description) => new("invalid_grant", description);

    public static OAuthRefusal InvalidScope(string description) => new("invalid_scope", description);

    public static OAuthRefusal InvalidTarget(string description) => new("invalid_target", description);

    public static OAuthRefusal UnauthorizedClient(string description) => new("unauthorized_client", description);

    public static OAuthRefusal TooMany(TimeSpan wait) => new("temporarily_unavailable", "Too many requests. Try again later.", 429, wait);
}
