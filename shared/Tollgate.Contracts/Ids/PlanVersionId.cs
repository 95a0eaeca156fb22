using System.Text.Json.Serialization;

namespace Tollgate.Contracts;

/// <summary>One immutable version of a plan.</summary>
[JsonConverter(typeof(GuidIdConverter<PlanVersionId>))]
public readonly record struct PlanVersionId(Guid Value) : IGuidId<PlanVersionId>
{
    /// <summary>A new identifier that sorts by the time it was made (RFC 9562, version 7).</summary>
    public static PlanVersionId New() => new(Guid.CreateVersion7());

    public static PlanVersionId From(Guid value) => new(value);

    public override string ToString() => Value.ToString();
}
