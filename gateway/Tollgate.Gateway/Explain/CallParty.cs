using System.Text.Json;
using System.Text.Json.Serialization;
using Tollgate.Contracts;
using Tollgate.Contracts.Explain;
using Tollgate.Gateway.Policy.Credentials;
using Tollgate.Gateway.Policy.Limits;
using Tollgate.Gateway.Policy.Plans;
using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.Gateway.Explain;

/// <summary>What calls have in common: who called what how, and how it ended. Compared by identity of its parts, which are replaced on change.</summary>
internal readonly record struct CallParty(Route? Route, Credential? Credential, Entitlement? Entitlement, CounterSet? Counters, string Outcome, string Method, string? Upstream)
{
    public bool Equals(CallParty other) =>
        ReferenceEquals(Route, other.Route) && ReferenceEquals(Credential, other.Credential) && ReferenceEquals(Entitlement, other.Entitlement) &&
        ReferenceEquals(Counters, other.Counters) && Outcome == other.Outcome && Method == other.Method && Upstream == other.Upstream;

    public override int GetHashCode() => HashCode.Combine(
        System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(Route!), System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(Credential!),
        System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(Entitlement!), Outcome, Method);

    /// <summary>The names, as they were when the call was made.</summary>
    public CallNames Names(int number) => new(
        number, Outcome, Method, Route?.Name, Route?.Product,
        Credential is null ? null : new CallerExplanation(Credential.Id, Credential.Prefix, Credential.Application.Id, Credential.Application.Name, Credential.Application.Organisation, Credential.Test),
        Entitlement is null
            ? null
            : new PlanExplanation(Entitlement.Subscription, Entitlement.Item.Plan, Entitlement.Item.PlanVersion, Entitlement.Item.State.ToString().ToLowerInvariant()),
        Counters is null ? [] : [
            .. Counters.Counters.Select(counter => new NamedLimit(counter.Name, counter.Limit, counter.IsShadow))
                .Concat(Counters.Concurrency.Select(counter => new NamedLimit(counter.Name, counter.Definition.Calls, counter.IsShadow))).Take(CallEntry.MostCounters),
        ],
        Upstream);
}

/// <summary>A party as it stands in the file of names: one line of JSON.</summary>
internal sealed record CallNames(
    int Number, string Outcome, string Method, string? Route, string? Product, CallerExplanation? Caller, PlanExplanation? Plan, IReadOnlyList<NamedLimit> Limits, string? Upstream);

internal sealed record NamedLimit(string Name, long Limit, bool Shadow = false);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CallNames))]
internal sealed partial class CallNamesJson : JsonSerializerContext;
