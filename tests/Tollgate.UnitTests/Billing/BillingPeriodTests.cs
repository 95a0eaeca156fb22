using Tollgate.Billing.Invoicing;

namespace Tollgate.UnitTests.Billing;

public sealed class BillingPeriodTests
{
    [Theory]
    [InlineData("2026-01-31T10:00Z", "2026-01-31T10:00Z", "2026-01-31T10:00Z", "2026-02-28T10:00Z")]
    [InlineData("2026-01-31T10:00Z", "2026-02-28T09:59Z", "2026-01-31T10:00Z", "2026-02-28T10:00Z")]
    [InlineData("2026-01-31T10:00Z", "2026-02-28T10:00Z", "2026-02-28T10:00Z", "2026-03-31T10:00Z")]
    [InlineData("2026-01-31T10:00Z", "2026-04-30T10:00Z", "2026-04-30T10:00Z", "2026-05-31T10:00Z")]
    [InlineData("2028-01-30T00:00Z", "2028-02-29T00:00Z", "2028-02-29T00:00Z", "2028-03-30T00:00Z")]
    [InlineData("2028-02-29T00:00Z", "2029-03-01T00:00Z", "2029-02-28T00:00Z", "2029-03-29T00:00Z")]
    [InlineData("2026-12-15T00:00Z", "2027-01-14T23:59Z", "2026-12-15T00:00Z", "2027-01-15T00:00Z")]
    [InlineData("2026-05-10T00:00Z", "2026-05-09T00:00Z", "2026-05-10T00:00Z", "2026-06-10T00:00Z")]
    public void Months_are_counted_from_the_anchor(string anchor, string moment, string from, string to)
    {
        var period = BillingPeriod.At(Moment(anchor), Moment(moment));
        (period.From, period.To).ShouldBe((Moment(from), Moment(to)));
    }

    [Fact]
    public void Periods_follow_one_another_without_a_gap_whatever_the_anchor()
    {
        for (var day = 0; day < 1_500; day += 7)
        {
            var anchor = new DateTimeOffset(2024, 1, 1, 13, 7, 0, TimeSpan.Zero).AddDays(day);
            var period = BillingPeriod.At(anchor, anchor);
            for (var i = 0; i < 40; i++)
            {
                period.Index.ShouldBe(i);
                BillingPeriod.At(anchor, period.To.AddTicks(-1)).ShouldBe(period);
                var next = BillingPeriod.At(anchor, period.To);
                next.From.ShouldBe(period.To);
                period = next;
            }
        }
    }

    private static DateTimeOffset Moment(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
