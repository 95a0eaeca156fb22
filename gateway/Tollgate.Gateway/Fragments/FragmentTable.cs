using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Feeds;

namespace Tollgate.Gateway.Fragments;

/// <summary>What the services published, as the feed brings it.</summary>
/// <param name="changed">Told of everything that is published now, in the order of the services' names.</param>
internal sealed class FragmentTable(Action<IReadOnlyList<FragmentItem>> changed) : IFeedTarget
{
    private readonly Action<IReadOnlyList<FragmentItem>> _tell = changed;
    private SortedDictionary<string, FragmentItem> _fragments = new(StringComparer.Ordinal);

    public IFeedChanges Begin(bool snapshot) => new Changes(this, snapshot);

    private sealed class Changes(FragmentTable table, bool snapshot) : IFeedChanges
    {
        private readonly SortedDictionary<string, FragmentItem> _next = snapshot ? new(StringComparer.Ordinal) : new(table._fragments, StringComparer.Ordinal);
        private bool _changed = snapshot;

        public void Add(FeedItem item)
        {
            _changed = true;
            if (item is FragmentItem fragment) _next[fragment.Service] = fragment;
            else if (item is RemovedItem { Of: "fragment" } removed) _next.Remove(removed.Id);
        }

        public void Commit()
        {
            table._fragments = _next;
            if (_changed) table._tell([.. _next.Values]);
        }
    }
}
