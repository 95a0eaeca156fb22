namespace Tollgate.Contracts.Feeds;

/// <summary>The routes that a service published for itself: a part of an <c>ocelot.json</c>, as it was sent.</summary>
/// <param name="Version">Of the service's own history.</param>
/// <param name="Content">JSON with comments and line breaks as they were written, so that a mistake is found by its line.</param>
public sealed record FragmentItem(string Service, long Version, string Content) : FeedItem
{
    public override string Kind => "fragment";
    public override string Key => Service;
}
