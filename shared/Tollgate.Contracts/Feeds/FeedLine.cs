using System.Text.Json.Serialization;

namespace Tollgate.Contracts.Feeds;

/// <summary>
/// One line of a feed. An answer is newline-delimited JSON (<c>application/x-ndjson</c>): a <see cref="FeedBegin"/>, any number of
/// <see cref="FeedItem"/>s in version order, and a <see cref="FeedEnd"/>; without its end it was cut off and must not be applied.
/// Readers skip members and line types that they do not know.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type", UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FailSerialization)]
[JsonDerivedType(typeof(FeedBegin), "begin")]
[JsonDerivedType(typeof(FeedEnd), "end")]
[JsonDerivedType(typeof(RemovedItem), "removed")]
[JsonDerivedType(typeof(ApplicationItem), "application")]
[JsonDerivedType(typeof(KeyItem), "key")]
[JsonDerivedType(typeof(ClientItem), "client")]
[JsonDerivedType(typeof(RevokedTokenItem), "revoked-token")]
[JsonDerivedType(typeof(RevokedBeforeItem), "revoked-before")]
[JsonDerivedType(typeof(QuestionItem), "question")]
[JsonDerivedType(typeof(EntitlementItem), "entitlement")]
[JsonDerivedType(typeof(CounterResetItem), "counter-reset")]
[JsonDerivedType(typeof(FragmentItem), "fragment")]
[JsonDerivedType(typeof(PurgeItem), "purge")]
[JsonDerivedType(typeof(DrainItem), "drain")]
[JsonDerivedType(typeof(ProductDocumentItem), "document")]
public abstract record FeedLine;

/// <summary>Opens an answer. A snapshot replaces everything the reader holds of this feed; otherwise the items change it.</summary>
/// <param name="Epoch">Identity of the feed's history; another epoch than the reader's own means that versions cannot be compared.</param>
public sealed record FeedBegin(string Feed, string Epoch, bool Snapshot) : FeedLine;

/// <summary>Closes an answer. The reader asks next with <c>after=</c><paramref name="Version"/>.</summary>
public sealed record FeedEnd(long Version) : FeedLine;

/// <summary>A thing with a key of its own within the feed: the latest line of a (kind, key) pair is what holds.</summary>
public abstract record FeedItem : FeedLine
{
    /// <summary>The line type, such as <c>key</c>.</summary>
    [JsonIgnore] public abstract string Kind { get; }

    /// <summary>Identity within the kind.</summary>
    [JsonIgnore] public abstract string Key { get; }
}

/// <summary>The item of this kind and key is gone.</summary>
public sealed record RemovedItem(string Of, string Id) : FeedItem
{
    public override string Kind => Of;
    public override string Key => Id;
}
