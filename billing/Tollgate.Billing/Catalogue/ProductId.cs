using System.Text.Json.Serialization;
using Tollgate.Contracts;

namespace Tollgate.Billing.Catalogue;

/// <summary>A product: what is sold.</summary>
[JsonConverter(typeof(GuidIdConverter<ProductId>))]
public readonly record struct ProductId(Guid Value) : IGuidId<ProductId>
{
    /// <summary>A new identifier that sorts by the time it was made (RFC 9562, version 7).</summary>
    public static ProductId New() => new(Guid.CreateVersion7());

    public static ProductId From(Guid value) => new(value);

    public override string ToString() => Value.ToString();
}
