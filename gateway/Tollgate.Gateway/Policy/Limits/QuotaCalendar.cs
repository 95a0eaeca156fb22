using Tollgate.Contracts.Feeds;

namespace Tollgate.Gateway.Policy.Limits;

/// <summary>
/// Cuts time into a quota's periods: days, weeks or months of the subscription's zone, counted from its anchor. A month that is too short
/// for the anchor's day begins on its last day, and the next one on the anchor's day again. Where clocks are put forward over a period's start it begins
/// at the first moment after; where they are put back, at the first of the two.
/// </summary>
internal sealed class QuotaCalendar
{
    private readonly QuotaPeriod _period;
    private readonly TimeZoneInfo _zone;
    private readonly DateTime _anchor;

    public QuotaCalendar(QuotaPeriod period, long anchorUnixMs, TimeZoneInfo zone)
    {
        _period = period;
        _zone = zone;
        var anchor = DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(anchorUnixMs, 0, LatestUnixMs));
        _anchor = TimeZoneInfo.ConvertTime(anchor, zone).DateTime;
    }

    private static long LatestUnixMs => new DateTimeOffset(2900, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();

    /// <summary>Of a quota as the feed brings it. A zone that this machine does not know counts as UTC.</summary>
    public static QuotaCalendar Of(Quota quota) =>
        new(quota.Period, quota.AnchorUnixMs, TimeZoneInfo.TryFindSystemTimeZoneById(quota.TimeZone, out var zone) ? zone : TimeZoneInfo.Utc);

    /// <summary>The period that the moment falls in.</summary>
    public QuotaSpan At(long unixMs)
    {
        var at = TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(unixMs, 0, LatestUnixMs)), _zone).DateTime;
        var number = _period switch
        {
            QuotaPeriod.Day => (int)(at.Date - _anchor.Date).TotalDays,
            QuotaPeriod.Week => (int)Math.Floor((at.Date - _anchor.Date).TotalDays / 7),
            _ => ((at.Year - _anchor.Year) * 12) + at.Month - _anchor.Month,
        };
        while (StartOf(number) > unixMs)
            number--;
        while (StartOf(number + 1) <= unixMs)
            number++;
        return new QuotaSpan(StartOf(number), StartOf(number + 1));
    }

    private long StartOf(int number)
    {
        var local = _period switch
        {
            QuotaPeriod.Day => _anchor.AddDays(number),
            QuotaPeriod.Week => _anchor.AddDays(7 * number),
            _ => _anchor.AddMonths(number),
        };
        var offset = OffsetAt(ref local);
        return new DateTimeOffset(local, offset).ToUnixTimeMilliseconds();
    }

    private TimeSpan OffsetAt(ref DateTime local)
    {
        if (_zone.IsAmbiguousTime(local))
            return _zone.GetAmbiguousTimeOffsets(local).Max();
        while (_zone.IsInvalidTime(local))    // gaps begin and end on whole minutes
            local = new DateTime(local.Year, local.Month, local.Day, local.Hour, local.Minute, 0).AddMinutes(1);
        return _zone.GetUtcOffset(local);
    }
}

/// <summary>One period of a quota, half-open.</summary>
internal readonly record struct QuotaSpan(long StartUnixMs, long EndUnixMs)
{
    public bool Contains(long unixMs) => unixMs >= StartUnixMs && unixMs < EndUnixMs;
}
