namespace Tollgate.Gateway.Feeds;

/// <summary>How far a feed has been read.</summary>
internal readonly record struct FeedPosition(string? Epoch, long Version)
{
    public static FeedPosition Start => new(null, 0);
}
