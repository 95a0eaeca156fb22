namespace Tollgate.Identity.OAuth;

/// <summary>Where the protocol's endpoints are, below the issuer.</summary>
internal static class OAuthPaths
{
    public const string Discovery = "/.well-known/openid-configuration";
    public const string Jwks = "/.well-known/openid-configuration/jwks";

    /// <summary>Before the path of the issuer, not below it (RFC 8414 §3.1).</summary>
    public const string ServerMetadata = "/.well-known/oauth-authorization-server";
    public const string Authorize = "/connect/authorize";
    public const string Consent = "/connect/consent";
    public const string UserInfo = "/connect/userinfo";
    public const string Token = "/connect/token";
    public const string Introspection = "/connect/introspect";
    public const string Revocation = "/connect/revocation";
    public const string EndSession = "/connect/endsession";
    public const string EndSessionConfirm = "/connect/endsession/confirm";
    public const string PushedRequests = "/connect/par";
    public const string DeviceAuthorization = "/connect/deviceauthorization";
    public const string Registration = "/connect/register";

    /// <summary>Where people type a device's code: short, because they do type it.</summary>
    public const string Device = "/device";
    public const string DeviceDecide = "/device/decide";
    public const string DeviceDone = "/device/done";
}
