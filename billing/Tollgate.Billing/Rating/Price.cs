using System.Text.Json.Serialization;
using Tollgate.Contracts.Usage;

namespace Tollgate.Billing.Rating;

/// <summary>How a quantity becomes money: pure, exact, in the currency of the plan version that holds it.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(FlatPrice), "flat")]
[JsonDerivedType(typeof(GraduatedPrice), "graduated")]
public abstract record Price
{
    public const string DefaultMeter = Meters.Requests;

    /// <summary>The meter whose units it charges; null = it is owed whatever is used.</summary>
    [JsonIgnore] public abstract string? ChargedMeter { get; }

    /// <summary>The lines for <paramref name="quantity"/>: units of its meter, or for a recurring price the share of the period (1 = all of it).</summary>
    public abstract IEnumerable<RatedLine> Rate(decimal quantity);
}
