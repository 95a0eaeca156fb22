using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Policy.Limits;

namespace Tollgate.UnitTests.Limits;

public sealed class QuotaCalendarTests
{
    [Theory]
    [InlineData("2026-02-10T00:00:00Z", "2026-01-31T10:00:00Z", "2026-02-28T10:00:00Z")]
    [InlineData("2026-02-28T10:00:00Z", "2026-02-28T10:00:00Z", "2026-03-31T10:00:00Z")]
    [InlineData("2028-02-29T09:59:59Z", "2028-01-31T10:00:00Z", "2028-02-29T10:00:00Z")]
    [InlineData("2025-12-31T23:59:59Z", "2025-12-31T10:00:00Z", "2026-01-31T10:00:00Z")]
    public void A_month_that_is_too_short_begins_on_its_last_day(string at, string start, string end) =>
        Check(QuotaPeriod.Month, "2026-01-31T10:00:00Z", "UTC", at, start, end);

    [Fact]
    public void A_day_in_which_clocks_go_forward_has_23_hours_and_one_in_which_they_go_back_25()
    {
        Check(QuotaPeriod.Day, "2026-01-01T00:00:00+01:00", "Europe/Berlin", "2026-03-29T12:00:00+02:00", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00");
        Check(QuotaPeriod.Day, "2026-01-01T00:00:00+01:00", "Europe/Berlin", "2026-10-25T12:00:00+01:00", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00");
    }

    [Fact]
    public void A_period_that_would_begin_in_the_missing_hour_begins_at_its_end()
    {
        Check(QuotaPeriod.Day, "2026-01-01T02:30:00+01:00", "Europe/Berlin", "2026-03-29T12:00:00+02:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00");
        Check(QuotaPeriod.Day, "2026-01-01T02:30:00+01:00", "Europe/Berlin", "2026-10-25T12:00:00+01:00", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00");
    }

    [Fact]
    public void Weeks_run_from_the_anchors_weekday() =>
        Check(QuotaPeriod.Week, "2026-01-07T00:00:00Z", "UTC", "2026-01-06T23:00:00Z", "2025-12-31T00:00:00Z", "2026-01-07T00:00:00Z");

    [Fact]
    public void Periods_follow_one_another_without_gap_or_overlap()
    {
        var random = new Random(1);
        foreach (var zone in new[] { "UTC", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu" })
        {
            foreach (var period in Enum.GetValues<QuotaPeriod>())
            {
                var calendar = new QuotaCalendar(period, random.NextInt64(0, 1_900_000_000_000), TimeZoneInfo.FindSystemTimeZoneById(zone));
                var span = calendar.At(1_300_000_000_000);
                for (var i = 0; i < 500; i++)
                {
                    span.EndUnixMs.ShouldBeGreaterThan(span.StartUnixMs);
                    calendar.At(span.EndUnixMs - 1).ShouldBe(span);
                    var next = calendar.At(span.EndUnixMs);
                    next.StartUnixMs.ShouldBe(span.EndUnixMs);
                    span = next;
                }
            }
        }
    }

    private static void Check(QuotaPeriod period, string anchor, string zone, string at, string start, string end) =>
        new QuotaCalendar(period, Ms(anchor), TimeZoneInfo.FindSystemTimeZoneById(zone)).At(Ms(at)).ShouldBe(new QuotaSpan(Ms(start), Ms(end)));

    private static long Ms(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture).ToUnixTimeMilliseconds();
}
