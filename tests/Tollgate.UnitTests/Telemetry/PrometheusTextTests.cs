using System.Diagnostics.Metrics;
using Tollgate.ServiceDefaults.Telemetry;

namespace Tollgate.UnitTests.Telemetry;

public sealed class PrometheusTextTests
{
    [Fact]
    public void Counters_gauges_and_histograms_are_written_as_prometheus_reads_them()
    {
        using var metrics = new PrometheusText();
        using var meter = new Meter("tollgate.test." + Guid.NewGuid().ToString("N"));
        var calls = meter.CreateCounter<long>("unit.calls", description: "Calls");
        var duration = meter.CreateHistogram<double>("unit.duration", "s");
        meter.CreateObservableGauge("unit.waiting", () => 7);
        calls.Add(2, new KeyValuePair<string, object?>("route", "a\"b"));
        calls.Add(3, new KeyValuePair<string, object?>("route", "a\"b"));
        calls.Add(1, new KeyValuePair<string, object?>("route", "c"));
        duration.Record(0.003);
        duration.Record(99);

        var text = metrics.Write();
        text.ShouldContain("# TYPE unit_calls_total counter");
        text.ShouldContain("""unit_calls_total{route="a\"b"} 5""");
        text.ShouldContain("""unit_calls_total{route="c"} 1""");
        text.ShouldContain("unit_waiting 7");
        text.ShouldContain("""unit_duration_seconds_bucket{le="0.0025"} 0""");
        text.ShouldContain("""unit_duration_seconds_bucket{le="0.005"} 1""");
        text.ShouldContain("""unit_duration_seconds_bucket{le="+Inf"} 2""");
        text.ShouldContain("unit_duration_seconds_count 2");
    }
}
