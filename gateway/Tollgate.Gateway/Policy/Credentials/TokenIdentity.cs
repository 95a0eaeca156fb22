namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>What a verified access token says of its holder.</summary>
internal sealed class TokenIdentity
{
    /// <summary>Who vouches for it.</summary>
    public required TokenProvider Provider { get; init; }

    /// <summary><c>client_id</c> (RFC 9068 §2.2), else <c>azp</c>.</summary>
    public string? ClientId { get; init; }

    /// <summary>Issuer, blank and client id: how a client is known that is bound to its issuer.</summary>
    public string? ClientOfIssuer { get; init; }

    /// <summary><c>sub</c>.</summary>
    public string? Subject { get; init; }

    /// <summary>From <c>scope</c>, one text with blanks or a list.</summary>
    public string[] Scopes { get; init; } = [];

    /// <summary><c>iat</c>; 0 = not said.</summary>
    public long IssuedUnixMs { get; init; }

    /// <summary><c>exp</c> and the skew that is forgiven.</summary>
    public long ExpiresUnixMs { get; init; }

    public string? Jti { get; init; }

    /// <summary>Thumbprint of the key whose holder alone may show it (<c>cnf.jkt</c>, RFC 9449 §6); null = whoever bears it may.</summary>
    public string? BoundTo { get; init; }

    /// <summary>By the names that the token has.</summary>
    public ClaimSet Claims { get; init; }

    /// <summary>Whether one of these is in <c>aud</c>.</summary>
    public bool IsFor(string[] audiences)
    {
        foreach (var audience in audiences)
            if (Claims.Has("aud", audience))
                return true;
        return false;
    }

    /// <summary>The signed word on the person that is given out at present.</summary>
    public Consumers.ConsumerWord? Word { get; set; }

    /// <summary>The person that the client acts for; null when it acts for itself (RFC 9068 §2.2).</summary>
    public string? Person => Subject is not null && Subject != ClientId ? Subject : null;
}
