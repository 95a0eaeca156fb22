using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Feeds;

namespace Tollgate.Gateway.Fragments;

/// <summary>What the services published, and what all gateways were ordered, as the feed brings it.</summary>
/// <param name="changed">Told of everything that is published now, in the order of the services' names.</param>
internal sealed class FragmentTable(Action<IReadOnlyList<FragmentItem>> changed, IFeedOrders orders) : IFeedTarget
{
    private readonly Action<IReadOnlyList<FragmentItem>> _tell = changed;
    private readonly IFeedOrders _orders = orders;
    private SortedDictionary<string, FragmentItem> _fragments = new(StringComparer.Ordinal);
    private HashSet<string> _drained = new(StringComparer.OrdinalIgnoreCase);

    public IFeedChanges Begin(bool snapshot) => new Changes(this, snapshot);

    private sealed class Changes(FragmentTable table, bool snapshot) : IFeedChanges
    {
        private readonly SortedDictionary<string, FragmentItem> _next = snapshot ? new(StringComparer.Ordinal) : new(table._fragments, StringComparer.Ordinal);
        private readonly HashSet<string> _drained = snapshot ? new(StringComparer.OrdinalIgnoreCase) : new(table._drained, StringComparer.OrdinalIgnoreCase);
        private readonly List<PurgeItem> _purges = [];
        private bool _changed = snapshot;

        public void Add(FeedItem item)
        {
            switch (item)
            {
                case FragmentItem fragment:
                    _next[fragment.Service] = fragment;
                    _changed = true;
                    break;
                case RemovedItem { Of: "fragment" } removed:
                    _next.Remove(removed.Id);
                    _changed = true;
                    break;
                case DrainItem drain: _drained.Add(drain.Host); break;
                case RemovedItem { Of: "drain" } resumed: _drained.Remove(resumed.Id); break;
                case PurgeItem purge: _purges.Add(purge); break;
            }
        }

        public void Commit()
        {
            table._fragments = _next;
            if (_changed) table._tell([.. _next.Values]);
            if (!_drained.SetEquals(table._drained)) table._orders.Drain(_drained);
            table._drained = _drained;
            foreach (var purge in _purges) table._orders.Purge(purge);
        }
    }
}
