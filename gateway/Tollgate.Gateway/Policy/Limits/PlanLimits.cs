using System.Collections.Concurrent;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Policy.Plans;

namespace Tollgate.Gateway.Policy.Limits;

/// <summary>Admits a call while its plan has room in every window and quota: all or nothing.</summary>
internal sealed class PlanLimits(ILedger ledger, IQuotaBase quotaBase, TimeProvider time)
{
    private const int IdleRoundsToDrop = 600;
    private const int AwayRetrySeconds = 1;

    private readonly MonotonicClock _clock = new(time);
    private readonly ConcurrentDictionary<SubscriptionId, CounterSet> _active = new();
    private readonly Lock _activation = new();

    /// <summary>Subscriptions that hold counters in memory.</summary>
    public int ActiveSubscriptions => _active.Count;

    /// <summary>Spends <paramref name="units"/> from every limit of the plan, or says which one has no room. Never waits, locks or allocates on the common path.</summary>
    /// <param name="final">True when the call has waited as long as it may: answer without the ledger, by the plan's <c>onLedgerLoss</c>.</param>
    public Verdict Decide(Entitlement entitlement, long units, bool final, out LimitStanding standing)
    {
        if (entitlement.Refusal != Refusal.None)
        {
            standing = default;
            return Verdict.Refuse(entitlement.Refusal);
        }

        var set = entitlement.Counters ?? Activate(entitlement);
        standing = new LimitStanding(set, _clock, _clock.UnixMs);
        if (!set.Touched)
            set.Touched = true;
        var counters = set.Counters;
        if (units <= 0 || counters.Length == 0)
            return Verdict.Granted;

        var nowUs = _clock.NowUs;
        Span<long> buckets = counters.Length <= 32 ? stackalloc long[32] : new long[counters.Length];
        for (var i = 0; i < counters.Length; i++)
        {
            var spend = counters[i].Take(units, nowUs, out buckets[i], out var arrival);
            if (spend == Spend.Granted)
                continue;

            if (spend == Spend.Pending && (final || ledger.IsAway))
                spend = ledger.IsAway || counters[i].IsRebuilding ? Spend.Away : Spend.Refused;    // slow, not gone: admitting by share now could go beyond the limit
            var retryUs = 0L;
            if (spend == Spend.Away && TakeWithoutLedger(counters[i], entitlement.Item.OnLedgerLoss, units, nowUs, out buckets[i], out retryUs))
                continue;

            for (var undo = 0; undo < i; undo++)
                counters[undo].GiveBack(units, buckets[undo], nowUs);
            return spend switch
            {
                Spend.Pending => Wait(counters, i, units, nowUs, arrival!),
                Spend.Away when entitlement.Item.OnLedgerLoss == LedgerLoss.Closed => Verdict.Refuse(Refusal.NotReady, AwayRetrySeconds),
                _ => Refuse(counters, i, units, nowUs, retryUs),
            };
        }
        return Verdict.Granted;
    }

    /// <summary>Gives quota units back for a call that was admitted and that no upstream answered. Rate limits keep theirs.</summary>
    public void Refund(Entitlement entitlement, long units, in LimitStanding standing)
    {
        if (standing.Counters is not { } set || units <= 0)
            return;
        var nowUs = _clock.NowUs;
        foreach (var quota in set.Quotas)
            quota.Refund(units, standing.DecidedUnixMs, nowUs);
    }

    /// <summary>Returns idle leases, pays what is owed to the ledger, and forgets subscriptions that have not called for ten minutes. To be called every second.</summary>
    public void Tidy()
    {
        var nowUs = _clock.NowUs;
        foreach (var (subscription, set) in _active)
        {
            set.IdleRounds = set.Touched ? 0 : set.IdleRounds + 1;
            set.Touched = false;
            var drop = set.IdleRounds >= IdleRoundsToDrop && _active.TryRemove(KeyValuePair.Create(subscription, set));
            if (drop)
                set.LetGo();
            foreach (var counter in set.Counters)
                counter.Tidy(nowUs, retire: drop);
        }
        ledger.Tidy();
    }

    /// <summary>Walks the whole road to the ledger with a subscription of nobody's, so that the first caller does not wait for code to be compiled.</summary>
    public async Task WarmUpAsync()
    {
        var road = new PlanLimits(ledger, new NothingUsed(), time);
        var nobody = new Entitlement
        {
            Item = new EntitlementItem(default, default, "warm", "warm", default, EntitlementState.Active, LedgerLoss.Open,
                [new RateLimit("warm", 20, 1000)], [new Quota("warm", 1_000_000_000, QuotaPeriod.Day, true, 0)]),
        };
        for (var i = 0; i < 50; i++)
        {
            var verdict = road.Decide(nobody, 1, final: false, out var standing);
            standing.Describe();
            road.Refund(nobody, 1, standing);
            if (verdict.Arrival is { } arrival)
                await arrival.ConfigureAwait(false);
        }
    }

    private sealed class NothingUsed : IQuotaBase
    {
        public ValueTask<long?> UnitsSoFarAsync(SubscriptionId subscription, long fromUnixMs, long toUnixMs) => new(0L);
    }

    /// <summary>The first call of a subscription, or its first since its plan was changed: counters whose definition is unchanged go on.</summary>
    private CounterSet Activate(Entitlement entitlement)
    {
        lock (_activation)
        {
            if (entitlement.Counters is { } made)
                return made;

            var item = entitlement.Item;
            var before = _active.GetValueOrDefault(item.Subscription)?.Counters ?? [];
            var counters = new List<Counter>(item.Limits.Count + item.Quotas.Count);
            foreach (var limit in item.Limits)
                counters.Add(before.FirstOrDefault(counter => (counter as RateCounter)?.Definition == limit)
                    ?? new RateCounter(ledger, _clock, item.Subscription, limit));
            foreach (var quota in item.Quotas)
                counters.Add(before.FirstOrDefault(counter => (counter as QuotaCounter)?.Definition == quota)
                    ?? new QuotaCounter(ledger, _clock, item.Subscription, quota, quotaBase));

            var set = new CounterSet(counters.ToArray());
            _active[item.Subscription] = set;
            set.AddUser(entitlement);
            entitlement.UseCounters(set);
            foreach (var old in before)
            {
                if (!counters.Contains(old))
                    old.Tidy(_clock.NowUs, retire: true);
            }
            return set;
        }
    }

    private static bool TakeWithoutLedger(Counter counter, LedgerLoss onLoss, long units, long nowUs, out long bucket, out long retryUs)
    {
        retryUs = 0;
        switch (onLoss)
        {
            case LedgerLoss.Open:
                counter.TakeUncounted(units, out bucket);
                return true;
            case LedgerLoss.Closed:
                bucket = 0;
                return false;
            default:
                return counter.TakeShare(units, nowUs, out bucket, out retryUs);
        }
    }

    private static Verdict Wait(Counter[] counters, int pending, long units, long nowUs, Task arrival)
    {
        for (var i = pending + 1; i < counters.Length; i++)
            counters[i].Prepare(units, nowUs);
        return Verdict.Pending(arrival, counters[pending].IsRebuilding ? Verdict.RebuildMs : Verdict.LedgerMs);
    }

    /// <summary>Refused by one; the others are looked at too, so that who waits as long as is said gets in.</summary>
    private static Verdict Refuse(Counter[] counters, int refusing, long units, long nowUs, long retryUs)
    {
        if (counters[refusing].IsRefusing(units, nowUs, out var ownRetryUs))
            retryUs = Math.Max(retryUs, ownRetryUs);
        var quota = counters[refusing].IsQuota;
        for (var i = 0; i < counters.Length; i++)
        {
            if (i == refusing)
                continue;
            if (counters[i].Remaining(nowUs) < units)
                counters[i].Prepare(units, nowUs);
            if (counters[i].IsRefusing(units, nowUs, out var otherRetryUs))
            {
                retryUs = Math.Max(retryUs, otherRetryUs);
                quota |= counters[i].IsQuota;
            }
        }
        return Verdict.Refuse(quota ? Refusal.QuotaExceeded : Refusal.RateLimited, (int)Math.Min(int.MaxValue, RateCounter.CeilingSeconds(retryUs)));
    }
}
