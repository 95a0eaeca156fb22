using Tollgate.Billing.Metering;

namespace Tollgate.Portal.Developer;

/// <summary>A stretch of time that the chart shows, and how wide its columns are.</summary>
internal sealed record UsageRange(string Name, string Title, TimeSpan Length, UsageBucket Bucket, TimeSpan Bar, string BarTitle, string Format)
{
    public static IReadOnlyList<UsageRange> All { get; } =
    [
        new("1h", "Last hour", TimeSpan.FromHours(1), UsageBucket.Minute, TimeSpan.FromMinutes(2), "two minutes", "HH:mm"),
        new("6h", "Last 6 hours", TimeSpan.FromHours(6), UsageBucket.Minute, TimeSpan.FromMinutes(15), "fifteen minutes", "HH:mm"),
        new("24h", "Last 24 hours", TimeSpan.FromHours(24), UsageBucket.Hour, TimeSpan.FromHours(1), "an hour", "HH:mm"),
        new("7d", "Last 7 days", TimeSpan.FromDays(7), UsageBucket.Hour, TimeSpan.FromHours(6), "six hours", "ddd HH:mm"),
    ];

    public static UsageRange Of(string? name) => All.FirstOrDefault(r => r.Name == name) ?? All[0];

    /// <summary>The first column's start: on a multiple of the column's width, so that columns do not wander as time goes by.</summary>
    public DateTimeOffset From(DateTimeOffset now)
    {
        var begin = (now - Length + Bar).UtcTicks;
        return new DateTimeOffset(begin - begin % Bar.Ticks, TimeSpan.Zero);
    }

    /// <summary>Sums up buckets into columns.</summary>
    public IReadOnlyList<UsageBar> Bars(IEnumerable<UsagePoint> points, Func<DateTimeOffset, DateTimeOffset> toLocal) =>
    [
        .. points.GroupBy(p => p.At.UtcTicks - p.At.UtcTicks % Bar.Ticks).OrderBy(g => g.Key).Select(g =>
        {
            var at = new DateTimeOffset(g.Key, TimeSpan.Zero);
            return new UsageBar(at, toLocal(at).ToString(Format), g.Sum(p => p.Calls), g.Sum(p => p.Errors));
        }),
    ];
}

/// <summary>One column of the chart.</summary>
internal sealed record UsageBar(DateTimeOffset At, string Label, long Calls, long Errors)
{
    public long Good => Calls - Errors;
}

/// <summary>One column of the chart of costs.</summary>
internal sealed record CostBar(string Label, decimal Cost);
