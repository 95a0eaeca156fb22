using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Balancing;
using Tollgate.Gateway.Cache;

namespace Tollgate.Gateway.Fragments;

/// <summary>Does what all gateways are ordered, and says so in the log.</summary>
internal sealed partial class FeedOrders(AnswerCache cache, UpstreamDirectory hosts, ILogger<FeedOrders> logger) : IFeedOrders
{
    public void Purge(PurgeItem order)
    {
        var removed = order.Scope switch
        {
            PurgeScope.Region => cache.ForgetRegion(order.Name),
            PurgeScope.Tag => cache.ForgetTag(order.Name),
            _ => cache.ForgetAll(),
        };
        if (removed > 0) Log.Purged(logger, removed, order.Scope, order.Name);
    }

    public void Drain(IReadOnlySet<string> ordered)
    {
        hosts.DrainByOrder(ordered);
        Log.Draining(logger, ordered.Count);
    }

    private static partial class Log
    {
        [LoggerMessage(1011, LogLevel.Information, "{Answers} kept answers were thrown away by order ({Scope} {Name})")]
        public static partial void Purged(ILogger logger, int answers, PurgeScope scope, string name);

        [LoggerMessage(1012, LogLevel.Information, "{Hosts} hosts drain by order to all gateways")]
        public static partial void Draining(ILogger logger, int hosts);
    }
}
