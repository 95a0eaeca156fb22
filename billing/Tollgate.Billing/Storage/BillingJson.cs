using System.Text.Json;
using System.Text.Json.Serialization;
using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Rating;
using Tollgate.Contracts.Feeds;

namespace Tollgate.Billing.Storage;

/// <summary>How billing's values look in a JSON column.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, AllowOutOfOrderMetadataProperties = true,
    Converters = [typeof(PlainDecimal)])]
[JsonSerializable(typeof(IReadOnlyList<Price>))]
[JsonSerializable(typeof(IReadOnlyList<RateLimit>))]
[JsonSerializable(typeof(IReadOnlyList<PlanQuota>))]
[JsonSerializable(typeof(IReadOnlyList<ConcurrencyLimit>))]
[JsonSerializable(typeof(PlanTerms))]
internal sealed partial class BillingJson : JsonSerializerContext;
