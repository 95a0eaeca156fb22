namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>What a verified access token says of its holder.</summary>
internal sealed class TokenIdentity
{
    /// <summary>Name of the provider that vouches for it.</summary>
    public required TokenProvider Provider { get; init; }

    /// <summary><c>client_id</c> (RFC 9068 §2.2), else <c>azp</c>.</summary>
    public string? ClientId { get; init; }

    /// <summary>From <c>scope</c>, one text with blanks or a list.</summary>
    public string[] Scopes { get; init; } = [];

    /// <summary><c>exp</c> and the skew that is forgiven.</summary>
    public long ExpiresUnixMs { get; init; }

    public string? Jti { get; init; }

    /// <summary>By the names that the token has.</summary>
    public ClaimSet Claims { get; init; }
}
