using System.Text.Json.Serialization;
using Tollgate.Contracts;

namespace Tollgate.Billing.Catalogue;

/// <summary>A plan of a product, whatever its version.</summary>
[JsonConverter(typeof(GuidIdConverter<PlanId>))]
public readonly record struct PlanId(Guid Value) : IGuidId<PlanId>
{
    /// <summary>A new identifier that sorts by the time it was made (RFC 9562, version 7).</summary>
    public static PlanId New() => new(Guid.CreateVersion7());

    public static PlanId From(Guid value) => new(value);

    public override string ToString() => Value.ToString();
}
