using System.Text.Json.Serialization;

namespace Tollgate.Contracts.Feeds;

/// <summary>An application, its owner, and whether either is suspended.</summary>
/// <param name="Suspended">Its owner is: its calls are refused as <c>organisation-suspended</c>.</param>
/// <param name="ApplicationSuspended">It alone is: its calls are refused as <c>application-suspended</c>.</param>
public sealed record ApplicationItem(
    AppId Id,
    OrganisationId Organisation,
    string Name,
    string OrganisationName,
    bool Suspended,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool ApplicationSuspended = false) : FeedItem
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
/// <param name="HighRisk">Refused as <c>not-ready</c> by a gateway that has not heard of the control plane for a while: a revocation may be on its way.</param>
/// <param name="Test">A key for trying things out; told to the upstream.</param>
public sealed record KeyItem(
    ApiKeyId Id,
    string Sha256,
    AppId Application,
    string Prefix,
    bool Revoked = false,
    long? ExpiresUnixMs = null,
    IReadOnlyList<string>? Scopes = null,
    IReadOnlyList<string>? Networks = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool HighRisk = false,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Test = false) : FeedItem
{
    public override string Kind => "key";
    public override string Key => Id.ToString();
}

/// <summary>An OAuth client and the application that it acts for.</summary>
/// <param name="Issuer">Whose client it is, as tokens say in <c>iss</c>: those of other issuers are not taken for it. Null = any accepted issuer's.</param>
public sealed record ClientItem(string ClientId, AppId Application, string? Issuer = null) : FeedItem
{
    public override string Kind => "client";
    public override string Key => Issuer is null ? ClientId : $"{Issuer} {ClientId}";
}

/// <summary>An access token that is refused before it expires, by its <c>jti</c> (RFC 7519 §4.1.7).</summary>
public sealed record RevokedTokenItem(string Jti, long ExpiresUnixMs) : FeedItem
{
    public override string Kind => "revoked-token";
    public override string Key => Jti;
}

/// <summary>
/// Access tokens issued to a client, or for a subject, before a moment are refused as <c>key-revoked</c>: a client was disabled, a person locked out.
/// The latest moment holds.
/// </summary>
/// <param name="Of">Whose tokens.</param>
/// <param name="Name">The <c>client_id</c>, or the <c>sub</c>.</param>
/// <param name="BeforeUnixMs">Tokens with an <c>iat</c> up to this moment, and tokens without one.</param>
/// <param name="ExpiresUnixMs">When the last token that this is about has expired, and the item may be forgotten.</param>
public sealed record RevokedBeforeItem(TokenHolder Of, string Name, long BeforeUnixMs, long ExpiresUnixMs) : FeedItem
{
    public override string Kind => "revoked-before";
    public override string Key => $"{(Of == TokenHolder.Client ? "client" : "subject")}:{Name}";
}

/// <summary>Whom a <see cref="RevokedBeforeItem"/> names.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TokenHolder>))]
public enum TokenHolder
{
    [JsonStringEnumMemberName("client")] Client,
    [JsonStringEnumMemberName("subject")] Subject,
}

/// <summary>
/// A question to all gateways: what became of a call, or what is known of a key. Each that can say something answers with a
/// <see cref="Explain.ExplainAnswer"/> to <see cref="InternalPaths.Explanations"/>.
/// </summary>
/// <param name="Slot">Questions take turns in a few places of the feed, so that old ones do not pile up.</param>
/// <param name="RequestId">The call; null when a key is asked about.</param>
/// <param name="KeySha256">The key, by digest; null when a call is asked about.</param>
/// <param name="ExpiresUnixMs">After which nobody waits for the answer.</param>
public sealed record QuestionItem(int Slot, Guid Question, string? RequestId, string? KeySha256, long ExpiresUnixMs) : FeedItem
{
    public override string Kind => "question";
    public override string Key => Slot.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
