using System.Collections.Concurrent;
using Tollgate.Gateway.Policy.Plans;

namespace Tollgate.Gateway.Policy.Limits;

/// <summary>
/// The sets of counters of one entitlement: one for all callers, or one for each operation and key where the plan tells them apart. Those that stop calling
/// are dropped one by one.
/// </summary>
internal sealed class PlanCounters
{
    private readonly CounterRegistry _registry;
    private readonly Entitlement _entitlement;
    private readonly CounterSet? _only;
    private readonly ConcurrentDictionary<(string Operation, string Key), CounterSet>? _sets;
    private readonly bool _byKey;

    public PlanCounters(CounterRegistry registry, Entitlement entitlement)
    {
        (_registry, _entitlement) = (registry, entitlement);
        if (CounterRegistry.IsUniform(entitlement.Item))
            _only = registry.Make(entitlement, "", "");
        else
            _sets = new();
        _byKey = CounterRegistry.DiffersByKey(entitlement.Item);
    }

    public Entitlement Entitlement => _entitlement;

    public IEnumerable<CounterSet> Sets => _only is not null ? [_only] : _sets!.Values;

    /// <summary>How often in a row the housekeeping found nothing of it used.</summary>
    public int IdleRounds { get; set; }

    /// <summary>Where the limits of callers that are told apart by nothing stand; null when nothing is counted.</summary>
    public string? Describe() => (_only ?? Sets.FirstOrDefault())?.Describe();

    public CounterSet Of(string operation, string key)
    {
        if (_only is not null)
            return _only;
        var place = (operation, _byKey ? key : "");
        return _sets!.TryGetValue(place, out var set) ? set : Add(place);
    }

    /// <summary>Drops the sets of operations and keys that have been idle for so many rounds. True = something of it was used since the last time.</summary>
    public bool Tidy(int idleRoundsToDrop)
    {
        if (_only is not null)
            return Tick(_only);

        var used = false;
        foreach (var (place, set) in _sets!)
        {
            used |= Tick(set);
            if (set.IdleRounds >= idleRoundsToDrop && _sets.TryRemove(KeyValuePair.Create(place, set)))
                _registry.Release(set);
        }
        return used;
    }

    public void Release()
    {
        foreach (var set in Sets)
            _registry.Release(set);
    }

    private CounterSet Add((string Operation, string Key) place)
    {
        lock (_sets!)
        {
            if (_sets.TryGetValue(place, out var made))
                return made;
            return _sets[place] = _registry.Make(_entitlement, place.Operation, place.Key);
        }
    }

    private static bool Tick(CounterSet set)
    {
        var used = set.Touched || set.Concurrency.Any(counter => counter.UnderWay > 0);
        set.IdleRounds = used ? 0 : set.IdleRounds + 1;
        set.Touched = false;
        return used;
    }
}
