using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Feeds;

namespace Tollgate.Gateway.Policy.Plans;

/// <summary>Which application may use which product, and under which limits.</summary>
internal sealed class EntitlementTable : FeedTable<EntitlementTable.State>
{
    private const long ShortestWindowMs = 100;
    private const long LongestWindowMs = 31L * 86_400_000;

    public int Count => Current.ByProduct.Count;

    public bool TryGet(AppId application, string product, [NotNullWhen(true)] out Entitlement? entitlement) =>
        Current.ByProduct.TryGetValue((application, product), out entitlement);

    /// <summary>What subscriptions are entitled to. Walks the whole table.</summary>
    public IReadOnlyList<Entitlement> Of(IReadOnlySet<SubscriptionId> subscriptions) =>
        subscriptions.Count == 0 ? [] : [.. Current.ByProduct.Values.Where(entitlement => subscriptions.Contains(entitlement.Subscription))];

    /// <summary>All that an application may use, to explain it. Walks the whole table: not on the path of a call.</summary>
    public IReadOnlyList<Entitlement> Of(AppId application) => [.. Current.ByProduct.Where(entry => entry.Key.Item1 == application).Select(entry => entry.Value)];

    protected override void Apply(State state, FeedItem item)
    {
        switch (item)
        {
            case EntitlementItem entitlement:
                Put(state, entitlement);
                break;
            case RemovedItem { Of: "entitlement" } removed when Guid.TryParse(removed.Id, out var id):
                state.Remove(new SubscriptionId(id));
                break;
        }
    }

    private void Put(State state, EntitlementItem item)
    {
        item = Tame(item);
        var place = (item.Application, item.Product);
        var held = state.ByProduct.GetValueOrDefault(place);
        if (held is not null && held.Subscription != item.Subscription
            && item.State == EntitlementState.Cancelled && held.Item.State != EntitlementState.Cancelled)
            return;    // the end of an old subscription, told after its successor began
        if (held is null || !Same(held.Item, item))
            state.ByProduct[place] = Next(item);

        // The subscription may have moved: what it had before goes, now that the new entry stands.
        var products = state.Products.GetValueOrDefault(item.Subscription, []);
        if (state.Applications.TryGetValue((item.Subscription, item.Product), out var application) && application != item.Application)
            state.RemoveOne(item.Subscription, item.Product);
        if (IsInForce(state))
        {
            foreach (var product in products)
            {
                if (product != item.Product)
                    state.RemoveOne(item.Subscription, product);
            }
            products = [];
        }
        state.Products[item.Subscription] = products.Contains(item.Product) ? products : [.. products, item.Product];
        state.Applications[(item.Subscription, item.Product)] = item.Application;
    }

    /// <summary>Whatever a feed says, nothing behind it may be divided by zero.</summary>
    private static EntitlementItem Tame(EntitlementItem item) => item with
    {
        Limits = (item.Limits ?? []).Select(limit => limit with { WindowMs = Math.Clamp(limit.WindowMs, ShortestWindowMs, LongestWindowMs), Units = Math.Max(0, limit.Units) }).ToArray(),
        Quotas = (item.Quotas ?? []).Select(quota => quota with { Units = Math.Max(0, quota.Units), TimeZone = quota.TimeZone ?? "UTC" }).ToArray(),
        Concurrency = (item.Concurrency ?? []).Select(limit => limit with { Calls = Math.Max(0, limit.Calls) }).ToArray(),
    };

    /// <summary>An unchanged entitlement keeps its object and so its counters; of a changed one the limits find what goes on by subscription and definition.</summary>
    private Entitlement Next(EntitlementItem item)
    {
        var before = Current.ByProduct.GetValueOrDefault((item.Application, item.Product));
        return before is not null && Same(before.Item, item) ? before : new Entitlement { Item = item };
    }

    private static bool Same(EntitlementItem a, EntitlementItem b) =>
        a with { Limits = b.Limits, Quotas = b.Quotas, Concurrency = b.Concurrency } == b
        && a.Limits.SequenceEqual(b.Limits) && a.Quotas.SequenceEqual(b.Quotas) && (a.Concurrency ?? []).SequenceEqual(b.Concurrency ?? []);

    /// <summary>An item is named by its subscription; a consumers file may give one subscription several products.</summary>
    internal sealed class State
    {
        public readonly ConcurrentDictionary<(AppId, string), Entitlement> ByProduct = new();
        public readonly Dictionary<(SubscriptionId, string), AppId> Applications = [];
        public readonly Dictionary<SubscriptionId, string[]> Products = [];

        public void Remove(SubscriptionId subscription)
        {
            if (!Products.Remove(subscription, out var products))
                return;
            foreach (var product in products)
                RemoveOne(subscription, product);
        }

        public void RemoveOne(SubscriptionId subscription, string product)
        {
            if (Applications.Remove((subscription, product), out var application)
                && ByProduct.TryGetValue((application, product), out var entitlement)
                && entitlement.Subscription == subscription)
                ByProduct.TryRemove((application, product), out _);
        }
    }
}
