using Tollgate.Contracts.Feeds;

namespace Tollgate.Gateway.Feeds;

/// <summary>A table that a feed, or the consumers file in its stead, keeps up to date.</summary>
internal interface IFeedTarget
{
    /// <summary>Begins a change. Nothing of it is in force before <see cref="IFeedChanges.Commit"/>; a change that is dropped leaves no trace.</summary>
    /// <param name="snapshot">What follows replaces everything; otherwise it changes single items.</param>
    IFeedChanges Begin(bool snapshot);
}

/// <summary>A change in the making. One writer at a time.</summary>
internal interface IFeedChanges
{
    void Add(FeedItem item);

    void Commit();
}
