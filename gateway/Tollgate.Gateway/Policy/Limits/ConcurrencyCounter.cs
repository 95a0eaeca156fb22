using Tollgate.Contracts.Feeds;

namespace Tollgate.Gateway.Policy.Limits;

/// <summary>Calls under way on this node, of which it may have its part of what the plan allows: nothing is asked of a ledger.</summary>
internal sealed class ConcurrencyCounter(ILedger ledger, ConcurrencyLimit definition)
{
    private long _underWay;

    public ConcurrencyLimit Definition { get; } = definition;
    public string Name => Definition.Name;
    public bool IsShadow => Definition.Reach is { Shadow: true };

    /// <summary>How many sets it is in. <see cref="CounterRegistry"/> guards it.</summary>
    public int Users { get; set; }

    public long UnderWay => Volatile.Read(ref _underWay);

    /// <summary>How many more calls would be admitted here.</summary>
    public long Remaining => Math.Max(0, Part - UnderWay);

    private long Part => Math.Max(1, (Definition.Calls / ledger.Nodes) + (ledger.Rank < Definition.Calls % ledger.Nodes ? 1 : 0));

    /// <param name="force">Enters also when there is no room, and says so.</param>
    public bool TryEnter(bool force, out bool isOver)
    {
        isOver = Interlocked.Increment(ref _underWay) > Part;
        if (!isOver || force)
            return true;
        Interlocked.Decrement(ref _underWay);
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _underWay);

    public CounterFacts Facts() => new(Name, "concurrency", Definition.Calls, Remaining, null, null, null, Remaining == 0 ? 1000 : null, 0, IsShadow, "");
}
