using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Feeds;

namespace Tollgate.Gateway.Policy.Plans;

/// <summary>
/// Which application may use which product, and under which limits. Readers never lock; one writer changes single entries in place
/// (a change of one must not rebuild a hundred thousand) and swaps the whole for a snapshot.
/// </summary>
internal sealed class EntitlementTable : IFeedTarget
{
    private const long ShortestWindowMs = 100;
    private const long LongestWindowMs = 31L * 86_400_000;

    private State _state = new();

    public int Count => Volatile.Read(ref _state).ByProduct.Count;

    public bool TryGet(AppId application, string product, [NotNullWhen(true)] out Entitlement? entitlement) =>
        Volatile.Read(ref _state).ByProduct.TryGetValue((application, product), out entitlement);

    public IFeedChanges Begin(bool snapshot) => new Changes(this, snapshot);

    /// <summary>An item is named by its subscription; a consumers file may give one subscription several products.</summary>
    private sealed class State
    {
        public readonly ConcurrentDictionary<(AppId, string), Entitlement> ByProduct = new();
        public readonly Dictionary<(SubscriptionId, string), AppId> Applications = [];
        public readonly Dictionary<SubscriptionId, string[]> Products = [];
    }

    private sealed class Changes(EntitlementTable table, bool snapshot) : IFeedChanges
    {
        private readonly State _state = snapshot ? new State() : table._state;
        private readonly List<FeedItem> _later = [];

        public void Add(FeedItem item)
        {
            if (snapshot)
                Apply(item);
            else
                _later.Add(item);
        }

        public void Commit()
        {
            foreach (var item in _later)
                Apply(item);
            Volatile.Write(ref table._state, _state);
        }

        private void Apply(FeedItem item)
        {
            switch (item)
            {
                case EntitlementItem entitlement:
                    Put(entitlement);
                    break;
                case RemovedItem { Of: "entitlement" } removed when Guid.TryParse(removed.Id, out var id):
                    Remove(new SubscriptionId(id));
                    break;
            }
        }

        private void Put(EntitlementItem item)
        {
            item = Tame(item);
            var place = (item.Application, item.Product);
            var held = _state.ByProduct.GetValueOrDefault(place);
            if (held is not null && held.Subscription != item.Subscription
                && item.State == EntitlementState.Cancelled && held.Item.State != EntitlementState.Cancelled)
                return;    // the end of an old subscription, told after its successor began
            if (held is null || !Same(held.Item, item))
                _state.ByProduct[place] = Next(item);

            // The subscription may have moved: what it had before goes, now that the new entry stands.
            var products = _state.Products.GetValueOrDefault(item.Subscription, []);
            if (_state.Applications.TryGetValue((item.Subscription, item.Product), out var application) && application != item.Application)
                RemoveOne(item.Subscription, item.Product);
            if (!snapshot)
            {
                foreach (var product in products)
                {
                    if (product != item.Product)
                        RemoveOne(item.Subscription, product);
                }
                products = [];
            }
            _state.Products[item.Subscription] = products.Contains(item.Product) ? products : [.. products, item.Product];
            _state.Applications[(item.Subscription, item.Product)] = item.Application;
        }

        /// <summary>Whatever a feed says, nothing behind it may be divided by zero.</summary>
        private static EntitlementItem Tame(EntitlementItem item) => item with
        {
            Limits = (item.Limits ?? []).Select(limit => limit with { WindowMs = Math.Clamp(limit.WindowMs, ShortestWindowMs, LongestWindowMs), Units = Math.Max(0, limit.Units) }).ToArray(),
            Quotas = (item.Quotas ?? []).Select(quota => quota with { Units = Math.Max(0, quota.Units), TimeZone = quota.TimeZone ?? "UTC" }).ToArray(),
        };

        /// <summary>An unchanged entitlement keeps its object and so its counters; of a changed one the limits find what goes on by subscription and definition.</summary>
        private Entitlement Next(EntitlementItem item)
        {
            var before = table._state.ByProduct.GetValueOrDefault((item.Application, item.Product));
            return before is not null && Same(before.Item, item) ? before : new Entitlement { Item = item };
        }

        private void Remove(SubscriptionId subscription)
        {
            if (!_state.Products.Remove(subscription, out var products))
                return;
            foreach (var product in products)
                RemoveOne(subscription, product);
        }

        private void RemoveOne(SubscriptionId subscription, string product)
        {
            if (_state.Applications.Remove((subscription, product), out var application)
                && _state.ByProduct.TryGetValue((application, product), out var entitlement)
                && entitlement.Subscription == subscription)
                _state.ByProduct.TryRemove((application, product), out _);
        }

        private static bool Same(EntitlementItem a, EntitlementItem b) =>
            a with { Limits = b.Limits, Quotas = b.Quotas } == b && a.Limits.SequenceEqual(b.Limits) && a.Quotas.SequenceEqual(b.Quotas);
    }
}
