namespace Tollgate.Cli;

/// <summary>What <c>tollgate login</c> was given for one server.</summary>
/// <param name="Organisation">Where calls act; null = where the person was when signing in.</param>
internal sealed record SignIn(string Issuer, string TokenEndpoint, string? RevocationEndpoint, string AccessToken, DateTimeOffset Expires, string? RefreshToken, string? Organisation);
