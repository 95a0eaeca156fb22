using Tollgate.Contracts.Explain;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Engines.Full;
using Tollgate.Gateway.Feeds;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Credentials;
using Tollgate.Gateway.Policy.Plans;

namespace Tollgate.Gateway.Explain;

/// <summary>Says of a call, or of a key, what this gateway knows: what became of it, and why.</summary>
internal sealed class Explainer(string node, CallLog log, CredentialTable credentials, EntitlementTable entitlements, Freshness freshness, TimeProvider time)
{
    private const int MostCallsOfKey = 20;

    public string Node => node;

    /// <summary>Keeps what an exchange came to.</summary>
    public void Keep(Exchange exchange, UInt128 request, TimeSpan duration)
    {
        if (exchange.Call.ArrivedUnixMs == 0) return;    // the connection ended before a call began
        ref var admission = ref exchange.Admission;
        var entry = new CallEntry
        {
            Request = request,
            ArrivedUnixMs = exchange.Call.ArrivedUnixMs,
            DurationUs = (uint)Math.Min(uint.MaxValue, duration.TotalMicroseconds),
            ConfigurationVersion = (int)Math.Min(int.MaxValue, exchange.Policy.Version),
            Status = (ushort)exchange.Context.Response.StatusCode,
            RetryAfterSeconds = (ushort)Math.Clamp(exchange.RetryAfterSeconds, 0, ushort.MaxValue),
            Attempts = (byte)Math.Min(byte.MaxValue, exchange.Attempts),
            Granted = admission.Spent ? (byte)1 : (byte)0,
            Metered = exchange.Record.IsWritten ? (byte)1 : (byte)0,
            Units = admission.Route?.Units ?? 0,
            MeteredUnits = exchange.Record.Units,
        };
        entry.CounterCount = (byte)admission.Standing.Left(entry.Left);
        log.Add(in entry, new CallParty(admission.Route, admission.Credential, admission.Entitlement, admission.Standing.Counters, exchange.Outcome, MethodOf(exchange.Call.Method), exchange.LastOrigin));
    }

    /// <summary>What became of a call; null when it was not this gateway's, or is no longer remembered.</summary>
    public CallExplanation? Call(string requestId) =>
        log.Find(RequestId.NumberOf(requestId)) is var (entry, names) ? Explain(in entry, names, requestId) : null;

    /// <summary>What is known of a key, and what would become of a call with it now.</summary>
    public KeyExplanation Key(in KeyDigest digest)
    {
        if (!credentials.TryFindDigest(digest, out var key))
            return new KeyExplanation(node, "unknown", "This gateway knows no such key. It was never issued, was mistyped, or was revoked more than a month ago.",
                null, null, null, null, null, null, null, false, null, null, [], []);

        var now = time.GetUtcNow();
        var expires = key.ExpiresUnixMs == long.MaxValue ? (DateTimeOffset?)null : DateTimeOffset.FromUnixTimeMilliseconds(key.ExpiresUnixMs);
        var (state, why) = StateOf(key, now);
        var application = key.Application;
        return new KeyExplanation(
            node, state, why, key.KeyId, key.Prefix, application.Id, application.Name, application.Organisation, expires,
            key.UsedMinute == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(key.UsedMinute * 60_000), key.HighRisk, key.Scopes,
            key.Networks.Length == 0 ? null : [.. key.Networks.Select(network => network.ToString())],
            [.. entitlements.Of(application.Id).OrderBy(entitlement => entitlement.Product, StringComparer.Ordinal).Select(entitlement => new SubscriptionExplanation(
                entitlement.Product, entitlement.Item.Plan, entitlement.Item.State.ToString().ToLowerInvariant(), (key.Test ? entitlement.ForTests : entitlement).Standing))],
            [.. log.Of(key.Id, MostCallsOfKey).Select(call => Explain(in call.Entry, call.Names, null))]);
    }

    /// <summary>The answer to a question of the feed; null when there is nothing to say.</summary>
    public ExplainAnswer? Answer(QuestionItem question)
    {
        if (question.RequestId is { } request)
            return Call(request) is { } call ? new ExplainAnswer(question.Question, node, Call: call) : null;
        return KeyDigest.TryParse(question.KeySha256, out var digest) ? new ExplainAnswer(question.Question, node, Key: Key(digest)) : null;
    }

    private (string State, string Why) StateOf(Credential key, DateTimeOffset now) => key switch
    {
        { Application.IsKnown: false } => ("unknown", "The key's application was deleted."),
        { Revoked: true } => ("revoked", Refusals.Of(Refusal.KeyRevoked).Detail),
        _ when key.ExpiresUnixMs <= now.ToUnixTimeMilliseconds() => ("expired", Refusals.Of(Refusal.KeyExpired).Detail),
        { Application.Refusal: not Refusal.None and var refusal } => ("suspended", Refusals.Of(refusal).Detail),
        { HighRisk: true } when !freshness.IsFresh =>
            ("live", $"The key is marked as high risk, and this gateway has not heard of the control plane for {freshness.MaxAge.TotalSeconds:0} seconds: it is refused as not-ready until it has."),
        _ => ("live", "The key is taken, for the products below and within its scopes and networks."),
    };

    private CallExplanation Explain(in CallEntry entry, CallNames? names, string? requestId)
    {
        var outcome = names?.Outcome ?? "unknown";
        var counters = new List<CounterExplanation>();
        for (var i = 0; i < Math.Min(entry.CounterCount, names?.Limits.Count ?? 0); i++)
        {
            var limit = names!.Limits[i];
            var left = entry.Left[i];
            counters.Add(new CounterExplanation(limit.Name, limit.Limit, entry.Units, entry.Granted == 1 ? left + entry.Units : left, left,
                Refused: outcome is "rate-limited" or "quota-exceeded" && !limit.Shadow && left < Math.Max(1, entry.Units), limit.Shadow));
        }

        return new CallExplanation(
            requestId ?? RequestId.Text(entry.Request), node, DateTimeOffset.FromUnixTimeMilliseconds(entry.ArrivedUnixMs), Math.Round(entry.DurationUs / 1000d, 3), entry.Status,
            outcome, Why(outcome, entry.Status), names?.Method, names?.Route, names?.Product, entry.ConfigurationVersion, names?.Caller, names?.Plan, counters,
            entry.RetryAfterSeconds == 0 ? null : entry.RetryAfterSeconds,
            entry.Attempts == 0 ? null : new UpstreamExplanation(entry.Attempts, names?.Upstream),
            entry.Metered == 1 ? entry.MeteredUnits : null);
    }

    private static string Why(string outcome, int status) => outcome switch
    {
        "ok" => "The call was admitted, and the service answered.",
        "upstream-error" => $"The call was admitted, and the service answered with {status}, or broke its answer off.",
        "cancelled" => "The caller went away before the answer was whole.",
        "unknown" => "More kinds of calls came in a short time than names were kept for.",
        _ => Refusals.BySlug(outcome)?.Detail ?? "",
    };

    // A caller may write any word there, and names are kept.
    private static string MethodOf(string? method) => method is "GET" or "HEAD" or "POST" or "PUT" or "PATCH" or "DELETE" or "OPTIONS" or "CONNECT" or "TRACE" ? method : "other";
}
