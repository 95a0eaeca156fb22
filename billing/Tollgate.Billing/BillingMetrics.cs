using System.Diagnostics.Metrics;

namespace Tollgate.Billing;

/// <summary>What billing tells of itself.</summary>
internal sealed class BillingMetrics
{
    private readonly Counter<long> _batches;
    private readonly Counter<long> _calls;
    private readonly Counter<long> _hours;

    public BillingMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("Tollgate.Billing");
        _batches = meter.CreateCounter<long>("tollgate.billing.batches", description: "Usage batches by outcome");
        _calls = meter.CreateCounter<long>("tollgate.billing.calls", description: "Calls counted from usage batches");
        _hours = meter.CreateCounter<long>("tollgate.billing.rollup.hours", description: "Sums of hours made from minutes");
    }

    /// <param name="outcome">counted, duplicate, gap or mismatch.</param>
    public void Batch(string outcome, long calls)
    {
        _batches.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
        if (calls > 0) _calls.Add(calls);
    }

    public void HoursRolled(int hours) => _hours.Add(hours);
}
