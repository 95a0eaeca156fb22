namespace Tollgate.Contracts.Feeds;

/// <summary>An order to begin counters of a subscription anew, on all gateways and in what they share. Carried out once, however often it is heard.</summary>
/// <param name="Limit">The limit or quota by name; null = all of them.</param>
/// <param name="Order">Names the order: gateways that share a ledger carry it out once between them.</param>
/// <param name="ExpiresUnixMs">After which it is no longer carried out.</param>
public sealed record CounterResetItem(SubscriptionId Subscription, string? Limit, Guid Order, long ExpiresUnixMs) : FeedItem
{
    public override string Kind => "counter-reset";
    public override string Key => Limit is null ? Subscription.ToString() : $"{Subscription}/{Limit}";
}
