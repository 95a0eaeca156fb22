using System.Collections.Concurrent;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Policy.Metering;
using Tollgate.Gateway.Policy.Plans;

namespace Tollgate.Gateway.Policy.Limits;

/// <summary>Admits a call while its plan has room in every window and quota: all or nothing.</summary>
internal sealed class PlanLimits
{
    private const int IdleRoundsToDrop = 600;
    private const int AwayRetrySeconds = 1;
    private const int MostCounters = 64;

    private readonly ILedger _ledger;
    private readonly TimeProvider _time;
    private readonly MonotonicClock _clock;
    private readonly CounterRegistry _registry;
    private readonly ConcurrentDictionary<PlanCounters, byte> _active = new();
    private readonly Lock _activation = new();

    /// <param name="node">What this node is called in the ledger: the same after a restart, so that its part of a quota is found again.</param>
    public PlanLimits(ILedger ledger, IQuotaBase quotaBase, TimeProvider time, string node = "self")
    {
        (_ledger, _time, Node) = (ledger, time, node);
        _clock = new MonotonicClock(time);
        _registry = new CounterRegistry(ledger, quotaBase, _clock, node);
    }

    /// <summary>What this node is called in the ledger.</summary>
    public string Node { get; }

    /// <summary>How many nodes share the ledger, as far as is known.</summary>
    public int Nodes => _ledger.Nodes;

    public bool IsLedgerAway => _ledger.IsAway;

    /// <summary>Subscriptions to products that hold counters in memory.</summary>
    public int ActiveSubscriptions => _active.Count;

    /// <summary>Counters in memory.</summary>
    public int ActiveCounters => _registry.Count;

    public Verdict Decide(Entitlement entitlement, long units, bool final, out LimitStanding standing) =>
        Decide(entitlement, new LimitedCall(units), final, out standing);

    /// <summary>Spends the call's units from every limit of the plan, or says which one has no room. Never waits, locks or allocates on the common path.</summary>
    /// <param name="final">True when the call has waited as long as it may: answer without the ledger, by the plan's <c>onLedgerLoss</c>.</param>
    public Verdict Decide(Entitlement entitlement, in LimitedCall call, bool final, out LimitStanding standing)
    {
        if (entitlement.Refusal != Refusal.None)
        {
            standing = default;
            return Verdict.Refuse(entitlement.Refusal);
        }

        var set = (entitlement.Counters ?? Activate(entitlement)).Of(call.Operation, call.Credential);
        standing = new LimitStanding(set, _clock, _clock.UnixMs);
        if (!set.Touched)
            set.Touched = true;
        if (call.Units <= 0 && set.Concurrency.Length == 0)
            return Verdict.Granted;

        var shadow = 0UL;
        if (set.Concurrency.Length > 0 && !TryEnter(set, ref shadow))
            return Verdict.Refuse(Refusal.RateLimited, 1);
        var verdict = call.Units <= 0 ? Verdict.Granted : Spend(entitlement, set.Counters, in call, final, ref shadow);
        if (!verdict.IsGranted)
            Leave(set, set.Concurrency.Length);
        else if (shadow != 0)
            standing = new LimitStanding(set, _clock, standing.DecidedUnixMs, shadow);
        return verdict;
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

    /// <summary>An admitted call has ended.</summary>
    public void End(in LimitStanding standing)
    {
        if (standing.Counters is { Concurrency.Length: > 0 } set)
            Leave(set, set.Concurrency.Length);
    }

    /// <summary>Returns idle leases, pays what is owed to the ledger, and forgets subscriptions that have not called for ten minutes. To be called every second.</summary>
    public void Tidy()
    {
        foreach (var (plan, _) in _active)
        {
            plan.IdleRounds = plan.Tidy(IdleRoundsToDrop) ? 0 : plan.IdleRounds + 1;
            if (plan.IdleRounds < IdleRoundsToDrop || !_active.TryRemove(plan, out _))
                continue;
            plan.Entitlement.ForgetCounters(plan);
            plan.Release();
        }
        var nowUs = _clock.NowUs;
        foreach (var counter in _registry.Counters)
            counter.Tidy(nowUs, retire: false);
        _ledger.Tidy();
    }

    /// <summary>Tells a ledger that has lost its memory what was spent here. False = it is away again.</summary>
    public async Task<bool> RecountAsync()
    {
        var whole = true;
        foreach (var some in _registry.Counters.Chunk(256))    // several in one round trip, none of them a herd
            whole &= (await Task.WhenAll(some.Select(counter => counter.RecountAsync().AsTask())).ConfigureAwait(false)).All(told => told);
        return whole;
    }

    /// <summary>
    /// After a start: leases of quotas that died with the process before go back to the ledger, whether or not their subscriptions call here again.
    /// </summary>
    /// <param name="before">What subscriptions that this node has served are entitled to.</param>
    /// <returns>False = the ledger was away.</returns>
    public async Task<bool> SettleAsync(IEnumerable<Entitlement> before)
    {
        var whole = true;
        foreach (var entitlement in before)
        {
            if (entitlement.Item.Quotas.Count == 0)
                continue;
            foreach (var quota in (entitlement.Counters ?? Activate(entitlement)).Of("", "").Quotas)
                whole &= await quota.RecountAsync().ConfigureAwait(false);
        }
        return whole;
    }

    /// <summary>What is counted here, for the internal port.</summary>
    public IEnumerable<SubscriptionFacts> Facts(Func<EntitlementItem, bool> wanted)
    {
        var nowUs = _clock.NowUs;
        foreach (var (plan, _) in _active)
        {
            var item = plan.Entitlement.Item;
            if (!wanted(item))
                continue;
            yield return new SubscriptionFacts(item.Subscription.ToString(), item.Application.ToString(), item.Product, item.Plan, plan.Entitlement.IsForTests ? "test" : "live",
            [
                .. plan.Sets.SelectMany(set => set.Counters).Distinct().Select(counter => counter.Facts(nowUs)),
                .. plan.Sets.SelectMany(set => set.Concurrency).Distinct().Select(counter => counter.Facts()),
            ]);
        }
    }

    /// <summary>Begins counters of an entitlement anew, those of test keys too, in the ledger and so on all nodes: the one named, or all. Answers their names; null = the ledger is away.</summary>
    /// <param name="order">Nodes that carry out the same order carry it out once between them; null = always.</param>
    public async Task<IReadOnlyList<string>?> ResetAsync(Entitlement entitlement, string? name, Guid? order = null)
    {
        var reset = new List<string>();
        foreach (var plan in new[] { entitlement, entitlement.ForTests }.Select(one => one.Counters ?? Activate(one)))
        {
            if (!plan.Sets.Any())
                plan.Of("", "");
            foreach (var counter in plan.Sets.SelectMany(set => set.Counters).Distinct().Where(counter => name is null || counter.Name == name))
            {
                if (!await counter.ResetAsync(order).ConfigureAwait(false))
                    return null;
                if (!reset.Contains(counter.Name))
                    reset.Add(counter.Name);
            }
        }
        return reset;
    }

    /// <summary>Walks the whole road to the ledger with a subscription of nobody's, so that the first caller does not wait for code to be compiled.</summary>
    public async Task WarmUpAsync()
    {
        var road = new PlanLimits(_ledger, new NothingUsed(), _time, "warm");
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
        public QuotaUse Here(UsageOwner owner, long fromUnixMs, long toUnixMs) => default;

        public ValueTask<QuotaUse?> EverywhereAsync(UsageOwner owner, long fromUnixMs, long toUnixMs) => new(default(QuotaUse));
    }

    private Verdict Spend(Entitlement entitlement, Counter[] counters, in LimitedCall call, bool final, ref ulong shadow)
    {
        var units = call.Units;
        var nowUs = _clock.NowUs;
        for (var i = 0; i < counters.Length; i++)    // what is known to be refused takes nothing from the others
        {
            if (!counters[i].IsShadow && counters[i].IsRefusing(units, nowUs, out _) && !counters[i].HasInHand(units, nowUs, call.ArrivedUnixMs))
                return Refuse(counters, i, units, nowUs, 0, final);
        }
        Span<long> buckets = counters.Length <= MostCounters ? stackalloc long[MostCounters] : new long[counters.Length];
        for (var i = 0; i < counters.Length; i++)
        {
            var spend = counters[i].Take(units, nowUs, call.ArrivedUnixMs, out buckets[i], out var arrival);
            if (spend == Limits.Spend.Granted)
                continue;

            if (Waits(spend) && (final || _ledger.IsAway))
                spend = _ledger.IsAway || spend == Limits.Spend.Rebuilding ? Limits.Spend.Away : Limits.Spend.Refused;    // slow, not gone: admitting by share now could go beyond the limit
            var retryUs = 0L;
            if (spend == Limits.Spend.Away && TakeWithoutLedger(counters[i], entitlement.Item.OnLedgerLoss, units, nowUs, out buckets[i], out retryUs))
                continue;
            if (!Waits(spend) && counters[i].IsShadow)
            {
                buckets[i] = Counter.Uncounted;
                if (spend == Limits.Spend.Refused && i < MostCounters)
                    shadow |= 1UL << i;
                continue;
            }

            for (var undo = 0; undo < i; undo++)
            {
                counters[undo].GiveBack(units, buckets[undo], nowUs);
                if (spend == Limits.Spend.Refused)
                    counters[undo].ReturnSoon(nowUs);
            }
            return spend switch
            {
                Limits.Spend.Pending => Wait(counters, i, units, nowUs, arrival!, Verdict.LedgerMs),
                Limits.Spend.Rebuilding => Wait(counters, i, units, nowUs, arrival!, Verdict.RebuildMs),
                Limits.Spend.Away when entitlement.Item.OnLedgerLoss == LedgerLoss.Closed => Verdict.Refuse(Refusal.NotReady, AwayRetrySeconds),
                _ => Refuse(counters, i, units, nowUs, retryUs, final),
            };
        }
        return Verdict.Granted;
    }

    private static bool Waits(Spend spend) => spend is Limits.Spend.Pending or Limits.Spend.Rebuilding;

    private static bool TryEnter(CounterSet set, ref ulong shadow)
    {
        for (var i = 0; i < set.Concurrency.Length; i++)
        {
            if (set.Concurrency[i].TryEnter(force: set.Concurrency[i].IsShadow, out var isOver))
            {
                if (isOver && set.Counters.Length + i < MostCounters)
                    shadow |= 1UL << (set.Counters.Length + i);
                continue;
            }
            Leave(set, i);
            return false;
        }
        return true;
    }

    private static void Leave(CounterSet set, int entered)
    {
        for (var i = 0; i < entered; i++)
            set.Concurrency[i].Leave();
    }

    /// <summary>The first call of a subscription, or its first since its plan was changed: counters whose definition is unchanged go on.</summary>
    private PlanCounters Activate(Entitlement entitlement)
    {
        lock (_activation)
        {
            if (entitlement.Counters is { } made)
                return made;
            var plan = new PlanCounters(_registry, entitlement);
            _active[plan] = 0;
            entitlement.UseCounters(plan);
            return plan;
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

    private static Verdict Wait(Counter[] counters, int pending, long units, long nowUs, Task arrival, int patienceMs)
    {
        for (var i = pending + 1; i < counters.Length; i++)
        {
            if (counters[i].IsAmple)
                counters[i].Prepare(units, nowUs);
        }
        return Verdict.Pending(arrival, patienceMs);
    }

    /// <summary>Refused by one; the others are looked at too, so that who waits as long as is said gets in.</summary>
    private static Verdict Refuse(Counter[] counters, int refusing, long units, long nowUs, long retryUs, bool final)
    {
        counters[refusing].NoteRefused();
        if (counters[refusing].IsRefusing(units, nowUs, out var ownRetryUs))
            retryUs = Math.Max(retryUs, ownRetryUs);
        var quota = counters[refusing].IsQuota && retryUs > 0;    // a ledger that takes too long has not said that there is no room
        for (var i = 0; i < counters.Length; i++)
        {
            if (i == refusing || counters[i].IsShadow)
                continue;
            if (!final && counters[i].Look(units, nowUs) is { IsCompleted: false } asked)
                return Verdict.Pending(asked, Verdict.LedgerMs);
            if (counters[i].IsRefusing(units, nowUs, out var otherRetryUs))
            {
                retryUs = Math.Max(retryUs, otherRetryUs);
                quota |= counters[i].IsQuota;
            }
        }
        return Verdict.Refuse(quota ? Refusal.QuotaExceeded : Refusal.RateLimited, (int)Math.Min(int.MaxValue, RateCounter.CeilingSeconds(retryUs)));
    }
}

/// <summary>What is counted for one subscription to one product.</summary>
/// <param name="Mode"><c>live</c>, or <c>test</c> for calls with test keys.</param>
internal sealed record SubscriptionFacts(string Subscription, string Application, string Product, string Plan, string Mode, IReadOnlyList<CounterFacts> Counters);
