using System.Text.Json.Serialization;

namespace Tollgate.Contracts;

/// <summary>An application's subscription to one plan version.</summary>
[JsonConverter(typeof(GuidIdConverter<SubscriptionId>))]
public readonly record struct SubscriptionId(Guid Value) : IGuidId<SubscriptionId>
{
    /// <summary>A new identifier that sorts by the time it was made (RFC 9562, version 7).</summary>
    public static SubscriptionId New() => new(Guid.CreateVersion7());

    public static SubscriptionId From(Guid value) => new(value);

    public override string ToString() => Value.ToString();
}
