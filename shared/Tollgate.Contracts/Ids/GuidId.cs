using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tollgate.Contracts;

/// <summary>A typed identifier around a <see cref="Guid"/>, so that a team never passes for an application.</summary>
public interface IGuidId<TSelf> where TSelf : struct, IGuidId<TSelf>
{
    Guid Value { get; }
    static abstract TSelf From(Guid value);
}

/// <summary>Writes an identifier as its bare GUID text.</summary>
public sealed class GuidIdConverter<TId> : JsonConverter<TId> where TId : struct, IGuidId<TId>
{
    public override TId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => TId.From(reader.GetGuid());

    public override void Write(Utf8JsonWriter writer, TId value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);
}
