namespace Tollgate.Identity.OAuth.Registration;

/// <summary>Clients that register themselves (RFC 7591). Off until a token is told.</summary>
public sealed class RegistrationOptions
{
    /// <summary>SHA-256 of the initial access tokens, as hex; several, so that one can follow another.</summary>
    public Dictionary<string, string> TokenSha256 { get; set; } = [];

    /// <summary>An initial access token as it is, for who has no place to keep digests. At least 32 characters.</summary>
    public string? Token { get; set; }

    /// <summary>What registered clients may ask for beside the scopes of OpenID Connect; names, with spaces between them.</summary>
    public string Scopes { get; set; } = "";

    internal bool IsOn => Token is { Length: > 0 } || TokenSha256.Count > 0;

    internal string? WhatIsWrong() =>
        Token is { Length: > 0 and < 32 } ? "Identity:Registration:Token has 32 characters or more."
        : TokenSha256.Values.Any(t => t.Length != 64 || !t.All(char.IsAsciiHexDigit)) ? "Identity:Registration:TokenSha256 are SHA-256 digests: 64 hex digits each."
        : null;
}
