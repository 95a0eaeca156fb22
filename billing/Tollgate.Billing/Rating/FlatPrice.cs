using System.Text.Json.Serialization;

namespace Tollgate.Billing.Rating;

/// <summary>A recurring fee for each billing period, in advance.</summary>
public sealed record FlatPrice(decimal Fee) : Price
{
    [JsonIgnore] public override string? ChargedMeter => null;

    public override IEnumerable<RatedLine> Rate(decimal quantity)
    {
        if (quantity > 0) yield return new RatedLine("Base fee", quantity, Fee);
    }
}
