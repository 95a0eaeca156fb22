using System.Text.Json.Serialization;

namespace Tollgate.Contracts.Explain;

/// <summary>One gateway's answer to a <see cref="Feeds.QuestionItem"/>: what it knows of a call, or of a key.</summary>
public sealed record ExplainAnswer(Guid Question, string Node, CallExplanation? Call = null, KeyExplanation? Key = null);

/// <summary>What became of one call, and why. Holds no secret.</summary>
/// <param name="Outcome"><c>ok</c>, <c>upstream-error</c>, <c>cancelled</c>, or the end of the refusal's problem type.</param>
/// <param name="Why">A sentence for the person who asks.</param>
/// <param name="Route">Null when no route took it.</param>
/// <param name="ConfigurationVersion">Of the gateway that took the call: 1 for its first, rising with each that went live.</param>
public sealed record CallExplanation(
    string RequestId,
    string Node,
    DateTimeOffset Arrived,
    double DurationMs,
    int Status,
    string Outcome,
    string Why,
    string? Method,
    string? Route,
    string? Product,
    long ConfigurationVersion,
    CallerExplanation? Caller,
    PlanExplanation? Plan,
    IReadOnlyList<CounterExplanation> Counters,
    int? RetryAfterSeconds,
    UpstreamExplanation? Upstream,
    long? MeteredUnits,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] InvoiceLineExplanation? InvoiceLine = null);

/// <summary>The line of an invoice that the call's units are on, as it stands now. Gateways know of no money: the control plane adds it.</summary>
/// <param name="Plan">Title and version of the plan whose price it is.</param>
/// <param name="Description">As the invoice has it.</param>
/// <param name="Quantity">Of the whole line.</param>
/// <param name="Amount">Of the whole line, rounded as it is on the invoice.</param>
/// <param name="From">The billing period, [from, to).</param>
/// <param name="State"><c>draft</c> until the period's invoice is final.</param>
public sealed record InvoiceLineExplanation(
    string Plan, string Description, decimal Quantity, decimal UnitPrice, decimal Amount, string Currency, DateTimeOffset From, DateTimeOffset To, string State);

/// <summary>Who called. <paramref name="Credential"/> is the key's id, or <c>client:</c> and the OAuth client id.</summary>
/// <param name="Prefix">First characters of the key; empty for clients and imported keys.</param>
/// <param name="Test">With a test key: counted apart, and on no invoice.</param>
public sealed record CallerExplanation(
    string Credential, string Prefix, AppId Application, string ApplicationName, string OrganisationName,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Test = false);

/// <summary>The subscription that the call was made under.</summary>
public sealed record PlanExplanation(SubscriptionId Subscription, string Name, PlanVersionId Version, string State);

/// <summary>A limit or quota after the call was decided.</summary>
/// <param name="Units">What the call weighed.</param>
/// <param name="Before">What was left for it; null when the counter was not asked.</param>
/// <param name="Refused">This one had no room.</param>
/// <param name="Shadow">It is counted and told of, and refuses nobody.</param>
public sealed record CounterExplanation(string Name, long Limit, long Units, long? Before, long? After, bool Refused, bool Shadow = false);

/// <summary>What was asked of the services behind the route.</summary>
/// <param name="Attempts">How often a service was tried.</param>
public sealed record UpstreamExplanation(int Attempts, string? LastAddress);

/// <summary>What a gateway knows of a key, and what would become of a call with it now.</summary>
/// <param name="State"><c>live</c>, <c>expired</c>, <c>revoked</c>, <c>suspended</c> or <c>unknown</c>.</param>
public sealed record KeyExplanation(
    string Node,
    string State,
    string Why,
    ApiKeyId? Key,
    string? Prefix,
    AppId? Application,
    string? ApplicationName,
    string? OrganisationName,
    DateTimeOffset? Expires,
    DateTimeOffset? LastUsed,
    bool HighRisk,
    IReadOnlyList<string>? Scopes,
    IReadOnlyList<string>? Networks,
    IReadOnlyList<SubscriptionExplanation> Subscriptions,
    IReadOnlyList<CallExplanation> LastCalls);

/// <summary>A product that the key's application may use, or why not, and where its limits stand on this gateway.</summary>
public sealed record SubscriptionExplanation(
    string Product,
    string Plan,
    string State,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? RateLimit);
