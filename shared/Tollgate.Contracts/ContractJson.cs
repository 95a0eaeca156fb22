using System.Text.Json;
using System.Text.Json.Serialization;
using Tollgate.Contracts.Explain;
using Tollgate.Contracts.Feeds;
using Tollgate.Contracts.Fragments;
using Tollgate.Contracts.Usage;

namespace Tollgate.Contracts;

/// <summary>How contracts are written: camelCase, nulls left out, enumerations by name. Compiled, so that a million keys load quickly.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowOutOfOrderMetadataProperties = true)]
[JsonSerializable(typeof(FeedLine))]
[JsonSerializable(typeof(UsageBatch))]
[JsonSerializable(typeof(UsageReceipt))]
[JsonSerializable(typeof(UsageTotal))]
[JsonSerializable(typeof(KeyUseReport))]
[JsonSerializable(typeof(FragmentReport))]
[JsonSerializable(typeof(ExplainAnswer))]
[JsonSerializable(typeof(CallExplanation))]
[JsonSerializable(typeof(KeyExplanation))]
public sealed partial class ContractJson : JsonSerializerContext;
