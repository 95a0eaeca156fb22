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

    public GatewayMetrics(IMeterFactory? meters)
    {
        _meter = meters?.Create(MeterName) ?? new Meter(MeterName);
        _calls = _meter.CreateCounter<long>("tollgate.gateway.calls", "{call}", "Calls that were answered or refused.");
        _duration = _meter.CreateHistogram<double>("tollgate.gateway.call.duration", "s", "From the last byte of the head to the last byte of the answer.");
    }

    /// <param name="plan">Empty on plain routes.</param>
    /// <param name="outcome"><c>ok</c>, <c>upstream-error</c>, <c>cancelled</c> or the refusal's tag.</param>
    public void Count(string route, string plan, string outcome, TimeSpan duration)
    {
        if (!_calls.Enabled && !_duration.Enabled) return;
        var tags = new TagList { { "route", route }, { "plan", plan }, { "outcome", outcome } };
        _calls.Add(1, tags);
        _duration.Record(duration.TotalSeconds, tags);
    }

    public void Dispose() => _meter.Dispose();
}
