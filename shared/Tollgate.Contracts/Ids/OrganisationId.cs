using System.Text.Json.Serialization;

namespace Tollgate.Contracts;

/// <summary>A customer: the organisation that owns applications and pays invoices.</summary>
[JsonConverter(typeof(GuidIdConverter<OrganisationId>))]
public readonly record struct OrganisationId(Guid Value) : IGuidId<OrganisationId>
{
    /// <summary>A new identifier that sorts by the time it was made (RFC 9562, version 7).</summary>
    public static OrganisationId New() => new(Guid.CreateVersion7());

    public static OrganisationId From(Guid value) => new(value);

    public override string ToString() => Value.ToString();
}
