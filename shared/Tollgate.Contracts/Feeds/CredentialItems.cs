namespace Tollgate.Contracts.Feeds;

/// <summary>An application, its owner, and whether either is suspended.</summary>
/// <param name="Suspended">Its calls are refused as <c>organisation-suspended</c>.</param>
public sealed record ApplicationItem(AppId Id, OrganisationId Organisation, string Name, string OrganisationName, bool Suspended) : FeedItem
{
    public override string Kind => "application";
    public override string Key => Id.ToString();
}

/// <summary>An API key, by digest. The secret is known to its holder alone.</summary>
/// <param name="Sha256">SHA-256 of the whole key as UTF-8, 64 lower-case hex digits.</param>
/// <param name="Prefix">First characters of the key, shown in logs and explanations; empty for imported keys.</param>
/// <param name="Revoked">Refused as <c>key-revoked</c>.</param>
/// <param name="ExpiresUnixMs">Refused as <c>key-expired</c> from this moment (milliseconds since 1970 UTC); null = never.</param>
/// <param name="Scopes">Scopes the key carries; null = all of its application's.</param>
/// <param name="Networks">CIDR ranges it may come from; null or empty = anywhere.</param>
public sealed record KeyItem(
    ApiKeyId Id,
    string Sha256,
    AppId Application,
    string Prefix,
    bool Revoked = false,
    long? ExpiresUnixMs = null,
    IReadOnlyList<string>? Scopes = null,
    IReadOnlyList<string>? Networks = null) : FeedItem
{
    public override string Kind => "key";
    public override string Key => Id.ToString();
}

/// <summary>An OAuth client and the application that it acts for.</summary>
public sealed record ClientItem(string ClientId, AppId Application) : FeedItem
{
    public override string Kind => "client";
    public override string Key => ClientId;
}

/// <summary>An access token that is refused before it expires, by its <c>jti</c> (RFC 7519 §4.1.7).</summary>
public sealed record RevokedTokenItem(string Jti, long ExpiresUnixMs) : FeedItem
{
    public override string Kind => "revoked-token";
    public override string Key => Jti;
}
