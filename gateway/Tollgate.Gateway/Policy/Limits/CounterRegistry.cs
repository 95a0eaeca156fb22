using System.Collections.Concurrent;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Policy.Plans;

namespace Tollgate.Gateway.Policy.Limits;

/// <summary>
/// The counters that live on this node. Those of an organisation are in the sets of several subscriptions, those of a subscription in the sets of several keys
/// or operations: each lives as long as a set holds it, and goes on where a changed plan keeps its definition.
/// </summary>
internal sealed class CounterRegistry(ILedger ledger, IQuotaBase quotaBase, MonotonicClock clock, string node)
{
    private readonly ConcurrentDictionary<string, Counter> _counters = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ConcurrencyCounter> _concurrency = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    public int Count => _counters.Count;

    public ICollection<Counter> Counters => _counters.Values;

    /// <summary>Makes the set for a caller of an entitlement: what applies to the operation and the key, rate limits first.</summary>
    public CounterSet Make(Entitlement entitlement, string operation, string key)
    {
        var item = entitlement.Item;
        lock (_gate)
        {
            var counters = new List<Counter>();
            var concurrency = new List<ConcurrencyCounter>();
            foreach (var limit in Applying(item.Limits, operation, limit => limit.Reach, limit => limit.Name))
            {
                var reach = ReachOf(entitlement, limit.Reach, key);
                counters.Add(Rate(reach, limit));
                if (BurstOf(limit) is { } burst)
                    counters.Add(Rate(reach, burst));
            }
            foreach (var quota in item.Quotas)
                counters.Add(Use(QuotaCounter.KeyOf(entitlement.Owner, quota), counter => (counter as QuotaCounter)?.Definition == quota,
                    () => new QuotaCounter(ledger, clock, entitlement.Owner, node, quota, quotaBase)));
            foreach (var limit in Applying(item.Concurrency ?? [], operation, limit => limit.Reach, limit => limit.Name))
                concurrency.Add(Concurrency(ReachOf(entitlement, limit.Reach, key), limit));
            return new CounterSet(counters.ToArray(), concurrency.ToArray());
        }
    }

    /// <summary>A set is no longer used: counters that were only in it return what they hold and go.</summary>
    public void Release(CounterSet set)
    {
        lock (_gate)
        {
            foreach (var counter in set.Counters)
            {
                if (--counter.Users == 0 && _counters.TryRemove(KeyValuePair.Create(PlaceOf(counter), counter)))
                    counter.Tidy(clock.NowUs, retire: true);
            }
            foreach (var counter in set.Concurrency)
            {
                if (--counter.Users > 0)
                    continue;
                foreach (var (place, held) in _concurrency)
                {
                    if (ReferenceEquals(held, counter))
                        _concurrency.Remove(place);
                }
            }
        }
    }

    /// <summary>Whether callers of the entitlement differ in what applies to them.</summary>
    public static bool IsUniform(EntitlementItem item) =>
        item.Limits.All(limit => IsUniform(limit.Reach)) && (item.Concurrency ?? []).All(limit => IsUniform(limit.Reach));

    public static bool DiffersByKey(EntitlementItem item) =>
        item.Limits.Any(limit => limit.Reach is { Per: LimitPer.Key }) || (item.Concurrency ?? []).Any(limit => limit.Reach is { Per: LimitPer.Key });

    private static bool IsUniform(LimitReach? reach) => reach is null || (reach.Per != LimitPer.Key && reach.Operations is null);

    private static List<T> Applying<T>(IReadOnlyList<T> limits, string operation, Func<T, LimitReach?> reach, Func<T, string> name)
    {
        var applying = limits.Where(limit => reach(limit)?.Operations is not { } operations || operations.Contains(operation, StringComparer.OrdinalIgnoreCase)).ToList();
        var overridden = applying.Select(limit => reach(limit)?.Overrides).OfType<string>().ToHashSet(StringComparer.Ordinal);
        applying.RemoveAll(limit => overridden.Contains(name(limit)));
        return applying;
    }

    /// <summary>As many as come at once, in the time in which the limit's pace makes so many.</summary>
    private static RateLimit? BurstOf(RateLimit limit)
    {
        if (limit.Burst is not { } burst || burst >= limit.Units || burst < 1)
            return null;
        var windowMs = Math.Max(1, limit.WindowMs * burst / Math.Max(1, limit.Units));
        return new RateLimit($"{limit.Name}-burst", burst, Math.Max(100, windowMs), Reach: limit.Reach);
    }

    private static string ReachOf(Entitlement entitlement, LimitReach? reach, string key) => reach?.Per switch
    {
        LimitPer.Organisation when entitlement.Item.Organisation is { } organisation => entitlement.IsForTests ? $"test:org:{organisation}" : $"org:{organisation}",
        LimitPer.Key => $"{entitlement.Owner}:{key}",
        _ => entitlement.Owner.ToString(),
    };

    private Counter Rate(string reach, RateLimit limit) =>
        Use(PlaceOf(RateCounter.KeyOf(reach, limit), limit), counter => (counter as RateCounter)?.Definition == limit, () => new RateCounter(ledger, clock, reach, limit));

    private Counter Use(string place, Func<Counter, bool> isSame, Func<Counter> make)
    {
        var before = _counters.GetValueOrDefault(place);
        var counter = before is not null && isSame(before) ? before : make();
        if (before is not null && !ReferenceEquals(before, counter))
            before.Tidy(clock.NowUs, retire: true);    // what it holds goes back: its place is taken
        _counters[place] = counter;
        counter.Users++;
        return counter;
    }

    private ConcurrencyCounter Concurrency(string reach, ConcurrencyLimit limit)
    {
        var place = $"{reach}:{limit.Name}";
        if (!_concurrency.TryGetValue(place, out var counter) || counter.Definition != limit)
            _concurrency[place] = counter = new ConcurrencyCounter(ledger, limit);
        counter.Users++;
        return counter;
    }

    private static string PlaceOf(Counter counter) => counter is RateCounter rate ? PlaceOf(rate.LedgerKey, rate.Definition) : counter.LedgerKey;

    // Plans may give an organisation's limit of one name different numbers: one count, several counters.
    private static string PlaceOf(string key, RateLimit limit) => limit.Reach is { Per: LimitPer.Organisation } ? $"{key}:{limit.Units}" : key;
}
