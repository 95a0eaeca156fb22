using System.Text.Json.Serialization;

namespace Tollgate.Contracts;

/// <summary>An application: what calls, and holds API keys and an OAuth client.</summary>
[JsonConverter(typeof(GuidIdConverter<AppId>))]
public readonly record struct AppId(Guid Value) : IGuidId<AppId>
{
    /// <summary>A new identifier that sorts by the time it was made (RFC 9562, version 7).</summary>
    public static AppId New() => new(Guid.CreateVersion7());

    public static AppId From(Guid value) => new(value);

    public override string ToString() => Value.ToString();
}
