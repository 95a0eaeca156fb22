using Tollgate.Contracts.Feeds;

namespace Tollgate.Gateway.Feeds;

/// <summary>
/// A table that a feed keeps up to date, in the one way there is: a snapshot is built aside and swapped in whole; changes wait until their answer has been
/// read to its end, and are then applied in place, one by one, because the change of one entry must not rebuild a million. Readers never lock; there is one writer.
/// </summary>
internal abstract class FeedTable<TState> : IFeedTarget where TState : class, new()
{
    private TState _current = new();

    /// <summary>What is in force.</summary>
    protected TState Current => Volatile.Read(ref _current);

    public IFeedChanges Begin(bool snapshot) => new Staged(this, snapshot);

    /// <summary>Puts one item into a state: the one in force, or a snapshot in the making.</summary>
    protected abstract void Apply(TState state, FeedItem item);

    /// <summary>The item was put into a snapshot that takes force next; or change by change.</summary>
    protected bool IsInForce(TState state) => ReferenceEquals(state, _current);

    private sealed class Staged(FeedTable<TState> table, bool snapshot) : IFeedChanges
    {
        private readonly TState _state = snapshot ? new TState() : table._current;
        private readonly List<FeedItem> _waiting = [];

        public void Add(FeedItem item)
        {
            if (snapshot) table.Apply(_state, item);
            else _waiting.Add(item);
        }

        public void Commit()
        {
            foreach (var item in _waiting)
                table.Apply(_state, item);
            Volatile.Write(ref table._current, _state);
        }
    }
}
