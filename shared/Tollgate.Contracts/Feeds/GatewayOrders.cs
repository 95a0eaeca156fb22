namespace Tollgate.Contracts.Feeds;

/// <summary>What of the kept answers an order throws away.</summary>
public enum PurgeScope
{
    Everything,
    Region,
    Tag,
}

/// <summary>Every gateway throws kept answers away. The same order once more takes the place of the one before, and counts again.</summary>
/// <param name="Name">Of the region or tag; empty for everything.</param>
/// <param name="AtUnixMs">When it was given: two orders of the same name differ.</param>
public sealed record PurgeItem(PurgeScope Scope, string Name, long AtUnixMs) : FeedItem
{
    public override string Kind => "purge";
    public override string Key => $"{Scope}:{Name}";
}

/// <summary>No gateway sends new calls to a host until the item is removed.</summary>
/// <param name="Host">Host and port, as it stands in the routes: <c>orders-1:8080</c>.</param>
public sealed record DrainItem(string Host) : FeedItem
{
    public override string Kind => "drain";
    public override string Key => Host;
}
