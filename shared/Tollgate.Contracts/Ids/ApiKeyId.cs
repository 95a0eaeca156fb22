using System.Text.Json.Serialization;

namespace Tollgate.Contracts;

/// <summary>One API key of an application. Never the secret itself.</summary>
[JsonConverter(typeof(GuidIdConverter<ApiKeyId>))]
public readonly record struct ApiKeyId(Guid Value) : IGuidId<ApiKeyId>
{
    /// <summary>A new identifier that sorts by the time it was made (RFC 9562, version 7).</summary>
    public static ApiKeyId New() => new(Guid.CreateVersion7());

    public static ApiKeyId From(Guid value) => new(value);

    public override string ToString() => Value.ToString();
}
