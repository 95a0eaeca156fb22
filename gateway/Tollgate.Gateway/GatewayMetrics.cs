using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Tollgate.Gateway;

/// <summary>What the gateway counts. Costs nothing while nobody listens.</summary>
internal sealed class GatewayMetrics : IDisposable
{
    public const string MeterName = "Tollgate.Gateway";

    private readonly Meter _meter;
    private readonly Counter<long> _calls;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _retries;
    private readonly Counter<long> _hedges;
    private readonly Counter<long> _mirrored;
    private readonly Counter<long> _ejections;
    private readonly Counter<long> _shadowRefusals;
    private readonly Counter<long> _pluginOverruns;

    public GatewayMetrics(IMeterFactory? meters)
    {
        _meter = meters?.Create(MeterName) ?? new Meter(MeterName);
        _calls = _meter.CreateCounter<long>("tollgate.gateway.calls", "{call}", "Calls that were answered or refused.");
        _shadowRefusals = _meter.CreateCounter<long>("tollgate.gateway.limits.shadow.refusals", "{call}", "Calls that a limit in shadow mode would have refused.");
        _duration = _meter.CreateHistogram<double>("tollgate.gateway.call.duration", "s", "From the last byte of the head to the last byte of the answer.");
        _retries = _meter.CreateCounter<long>("tollgate.gateway.retries", "{call}", "Calls that were sent to one more host.");
        _hedges = _meter.CreateCounter<long>("tollgate.gateway.hedges", "{call}", "Calls that a second host was asked for because the first was slow.");
        _mirrored = _meter.CreateCounter<long>("tollgate.gateway.mirrored", "{call}", "Copies of calls, by what became of them.");
        _pluginOverruns = _meter.CreateCounter<long>("tollgate.gateway.plugin.overruns", "{call}", "Calls on which a plug-in took longer than it may.");
        _ejections = _meter.CreateCounter<long>("tollgate.gateway.ejections", "{host}", "Hosts that were left alone for a while.");
    }

    /// <summary>A call was admitted that a limit in shadow mode would have refused.</summary>
    public void CountShadowRefusal(string plan, string limit) => _shadowRefusals.Add(1, new TagList { { "plan", plan }, { "limit", limit } });

    /// <param name="plan">Empty on plain routes.</param>
    /// <param name="outcome"><c>ok</c>, <c>upstream-error</c>, <c>cancelled</c> or the refusal's tag.</param>
    public void Count(string route, string plan, string outcome, TimeSpan duration)
    {
        if (!_calls.Enabled && !_duration.Enabled) return;
        var tags = new TagList { { "route", route }, { "plan", plan }, { "outcome", outcome } };
        _calls.Add(1, tags);
        _duration.Record(duration.TotalSeconds, tags);
    }

    /// <param name="reason"><c>no-connection</c>, <c>lost</c>, <c>timeout</c> or <c>answer</c>.</param>
    public void Retried(string route, string reason) => _retries.Add(1, new TagList { { "route", route }, { "reason", reason } });

    public void Hedged() => _hedges.Add(1);

    /// <param name="outcome"><c>sent</c>, <c>failed</c> or <c>left-out</c>.</param>
    public void Mirrored(string outcome) => _mirrored.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    /// <param name="reason"><c>no-connection</c> or <c>failures</c>.</param>
    public void Ejected(string reason) => _ejections.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void PluginOverran(string name) => _pluginOverruns.Add(1, new KeyValuePair<string, object?>("plugin", name));

    /// <summary>Offers what others count.</summary>
    public void Observe(Policy.Credentials.CredentialTable credentials, Explain.CallLog calls)
    {
        _meter.CreateObservableCounter("tollgate.gateway.key.lookups", () => credentials.Lookups, "{lookup}", "Keys that were looked for in the table; malformed ones are not.");
        _meter.CreateObservableGauge("tollgate.gateway.keys", () => credentials.KeyCount, "{key}", "Keys that are known.");
        _meter.CreateObservableCounter("tollgate.gateway.explain.dropped", () => calls.Dropped, "{call}", "Calls that cannot be explained for lack of room.");
    }

    public void Dispose() => _meter.Dispose();
}
