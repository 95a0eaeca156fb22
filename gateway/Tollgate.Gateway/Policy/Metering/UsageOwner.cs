using Tollgate.Contracts;

namespace Tollgate.Gateway.Policy.Metering;

/// <summary>Whose usage it is: a subscription's, and of that the calls with live keys and tokens or those with test keys. Each is counted by itself.</summary>
internal readonly record struct UsageOwner(SubscriptionId Subscription, bool IsTest = false)
{
    private const string TestMark = "test:";

    public static implicit operator UsageOwner(SubscriptionId subscription) => new(subscription);

    /// <summary>What <see cref="ToString"/> wrote; throws <see cref="FormatException"/> for anything else.</summary>
    public static UsageOwner Parse(string text) => text.StartsWith(TestMark, StringComparison.Ordinal)
        ? new UsageOwner(new SubscriptionId(Guid.Parse(text.AsSpan(TestMark.Length))), IsTest: true)
        : new UsageOwner(new SubscriptionId(Guid.Parse(text)));

    public override string ToString() => IsTest ? $"{TestMark}{Subscription}" : Subscription.ToString();
}
