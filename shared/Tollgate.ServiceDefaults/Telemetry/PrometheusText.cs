using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Tollgate.ServiceDefaults.Telemetry;

/// <summary>
/// <c>GET /metrics</c> in the Prometheus text format (version 0.0.4), read from the framework's own meters: ours, Kestrel's and the runtime's.
/// At most <see cref="MaxSeries"/> series; what comes after is dropped and counted, so that a careless tag cannot eat the memory.
/// </summary>
public sealed class PrometheusText : IDisposable
{
    private const int MaxSeries = 5_000;
    private static readonly string[] Meters = ["tollgate.", "Tollgate.", "System.Runtime", "Microsoft.AspNetCore.Server.Kestrel"];

    /// <summary>Seconds, as the OpenTelemetry conventions advise for HTTP durations.</summary>
    private static readonly double[] Bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private readonly ConcurrentDictionary<SeriesKey, Series> _series = new();
    private readonly MeterListener _listener;
    private long _dropped;

    public PrometheusText()
    {
        _listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (Meters.Any(name => instrument.Meter.Name.StartsWith(name, StringComparison.Ordinal))) listener.EnableMeasurementEvents(instrument);
            },
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>Offers the metrics; on the internal port, map it on that group.</summary>
    public void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/metrics", () => Results.Text(Write(), "text/plain; version=0.0.4", Encoding.UTF8));

    /// <summary>Everything measured so far.</summary>
    public string Write()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        foreach (var group in _series.GroupBy(entry => entry.Key.Instrument, entry => entry.Value).OrderBy(group => group.Key.Name, StringComparer.Ordinal)) WriteInstrument(text, group.Key, group);
        text.Append("# TYPE tollgate_metrics_dropped_total counter\ntollgate_metrics_dropped_total ").Append(Interlocked.Read(ref _dropped)).Append('\n');
        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var key = SeriesKey.Of(instrument, tags);
        if (!_series.TryGetValue(key, out var series))
        {
            if (_series.Count >= MaxSeries)
            {
                Interlocked.Increment(ref _dropped);
                return;
            }

            series = _series.GetOrAdd(key, new Series(Labels(tags), IsHistogram(instrument)));
        }

        series.Add(value, replace: instrument.IsObservable || IsGauge(instrument));
    }

    private static void WriteInstrument(StringBuilder text, Instrument instrument, IEnumerable<Series> group)
    {
        var isCounter = TypeName(instrument).Contains("Counter", StringComparison.Ordinal) && !TypeName(instrument).Contains("UpDown", StringComparison.Ordinal);
        var name = Name(instrument) + (isCounter ? "_total" : "");
        if (instrument.Description is { Length: > 0 } help) text.Append("# HELP ").Append(name).Append(' ').Append(help.Replace('\n', ' ')).Append('\n');
        text.Append("# TYPE ").Append(name).Append(IsHistogram(instrument) ? " histogram" : isCounter ? " counter" : " gauge").Append('\n');
        foreach (var series in group.OrderBy(series => series.Labels, StringComparer.Ordinal)) series.Write(text, name);
    }

    private static bool IsHistogram(Instrument instrument) => TypeName(instrument).StartsWith("Histogram", StringComparison.Ordinal);

    private static bool IsGauge(Instrument instrument) => TypeName(instrument).StartsWith("Gauge", StringComparison.Ordinal);

    private static string TypeName(Instrument instrument) => instrument.GetType().Name;

    private static string Name(Instrument instrument)
    {
        var name = instrument.Name.Replace('.', '_').Replace('-', '_');
        return instrument.Unit switch
        {
            "s" when !name.EndsWith("_seconds", StringComparison.Ordinal) => name + "_seconds",
            "By" when !name.EndsWith("_bytes", StringComparison.Ordinal) => name + "_bytes",
            _ => name,
        };
    }

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.Length == 0) return "";
        var text = new StringBuilder();
        foreach (var (name, value) in tags)
        {
            if (text.Length > 0) text.Append(',');
            text.Append(name.Replace('.', '_')).Append("=\"")
                .Append(Convert.ToString(value, CultureInfo.InvariantCulture)?.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n")).Append('"');
        }

        return text.ToString();
    }

    /// <summary>Finds a series by its tags' values without making their text. Beyond four tags it is made.</summary>
    private readonly record struct SeriesKey(Instrument Instrument, object? First, object? Second, object? Third, object? Fourth)
    {
        public static SeriesKey Of(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags) => tags.Length switch
        {
            > 4 => new(instrument, PrometheusText.Labels(tags), null, null, null),
            _ => new(instrument, At(tags, 0), At(tags, 1), At(tags, 2), At(tags, 3)),
        };

        private static object? At(ReadOnlySpan<KeyValuePair<string, object?>> tags, int index) => index < tags.Length ? tags[index].Value : null;
    }

    private sealed class Series(string labels, bool isHistogram)
    {
        private readonly long[] _buckets = isHistogram ? new long[Bounds.Length + 1] : [];
        private readonly Lock _gate = new();
        private double _sum;
        private long _count;

        public void Add(double value, bool replace)
        {
            lock (_gate)
            {
                _sum = replace ? value : _sum + value;
                _count++;
                if (!isHistogram) return;
                var bucket = Array.FindIndex(Bounds, bound => value <= bound);
                _buckets[bucket < 0 ? Bounds.Length : bucket]++;
            }
        }

        public string Labels => labels;

        public void Write(StringBuilder text, string name)
        {
            lock (_gate)
            {
                var braces = labels.Length == 0 ? "" : "{" + labels + "}";
                if (!isHistogram)
                {
                    text.Append(name).Append(braces).Append(' ').Append(_sum.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
                    return;
                }

                var comma = labels.Length == 0 ? "" : ",";
                var below = 0L;
                for (var i = 0; i <= Bounds.Length; i++)
                {
                    below += _buckets[i];
                    var bound = i == Bounds.Length ? "+Inf" : Bounds[i].ToString("R", CultureInfo.InvariantCulture);
                    text.Append(name).Append("_bucket{").Append(labels).Append(comma).Append("le=\"").Append(bound).Append("\"} ").Append(below).Append('\n');
                }

                text.Append(name).Append("_sum").Append(braces).Append(' ').Append(_sum.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
                text.Append(name).Append("_count").Append(braces).Append(' ').Append(_count).Append('\n');
            }
        }
    }
}
