using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tollgate.Billing.Storage;

/// <summary>Writes 29.00 as 29, so that one amount has one text.</summary>
internal sealed class PlainDecimal : JsonConverter<decimal>
{
    private const decimal OneWithEveryDecimal = 1.0000000000000000000000000000m;

    public override decimal Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDecimal();

    public override void Write(Utf8JsonWriter writer, decimal value, JsonSerializerOptions options) =>
        writer.WriteNumberValue(value / OneWithEveryDecimal);
}
