using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Rating;
using Tollgate.Contracts.Feeds;
using Tollgate.Portal.Wording;

namespace Tollgate.UnitTests.Portal;

public sealed class WordingTests
{
    [Theory]
    [InlineData("29", "EUR", "€29.00")]
    [InlineData("0.001", "EUR", "€0.001")]
    [InlineData("0.0006", "USD", "$0.0006")]
    [InlineData("1234567.5", "GBP", "£1,234,567.50")]
    [InlineData("1250", "CHF", "CHF\u00a01,250.00")]
    [InlineData("500", "JPY", "¥500")]
    [InlineData("1.5", "KWD", "KWD\u00a01.500")]
    [InlineData("-7.1", "EUR", "−€7.10")]
    [InlineData("0", "EUR", "€0.00")]
    public void Money_reads_with_the_decimals_of_its_currency_and_never_loses_one(string amount, string currency, string text) =>
        MoneyText.Of(decimal.Parse(amount, System.Globalization.CultureInfo.InvariantCulture), currency).ShouldBe(text);

    [Fact]
    public void A_plan_reads_as_a_buyer_would_say_it()
    {
        var pro = Terms([new FlatPrice(29m), new GraduatedPrice([new Tier(20_000, 0m), new Tier(null, 0.001m)])]);
        PlanSentence.Price(pro).ShouldBe("€29.00 / month, 20,000 calls included, then €0.001 a call");
        PlanSentence.Headline(pro).ShouldBe("€29.00");
        PlanSentence.HeadlineUnit(pro).ShouldBe("a month");
    }

    [Fact]
    public void Every_tier_is_told()
    {
        var terms = Terms([new GraduatedPrice([new Tier(1_000, 0.01m), new Tier(5_000, 0.005m), new Tier(null, 0.001m)])]);
        PlanSentence.Price(terms).ShouldBe("€0.01 a call up to 1,000, then €0.005 a call up to 5,000, then €0.001 a call");
        PlanSentence.Headline(terms).ShouldBe("€0.01");
        PlanSentence.HeadlineUnit(terms).ShouldBe("a call");
    }

    [Fact]
    public void What_costs_nothing_is_free()
    {
        PlanSentence.Price(Terms([])).ShouldBe("Free");
        PlanSentence.Price(Terms([new FlatPrice(0m)])).ShouldBe("Free");
        PlanSentence.Price(Terms([new GraduatedPrice([new Tier(null, 0m)])])).ShouldBe("Free, all calls included");
    }

    [Fact]
    public void Another_meter_is_called_by_its_name() =>
        PlanSentence.Price(Terms([new GraduatedPrice([new Tier(100, 0m), new Tier(null, 2m)], "tokens")])).ShouldBe("100 tokens included, then €2.00 a token");

    [Theory]
    [InlineData(10, 1_000, "10 calls a second")]
    [InlineData(1, 60_000, "1 call a minute")]
    [InlineData(5_000, 3_600_000, "5,000 calls an hour")]
    [InlineData(30, 10_000, "30 calls in 10 seconds")]
    [InlineData(3, 250, "3 calls in 250 ms")]
    [InlineData(90, 90_000, "90 calls in 90 seconds")]
    public void A_limit_reads_with_its_window(long units, long windowMs, string text) =>
        PlanSentence.Limit(new RateLimit("x", units, windowMs)).ShouldBe(text);

    [Fact]
    public void A_quota_says_what_happens_beyond_it()
    {
        PlanSentence.Quota(new PlanQuota("month", 1_000, QuotaPeriod.Month, Hard: true)).ShouldBe("1,000 calls a month, no more");
        PlanSentence.Quota(new PlanQuota("day", 1, QuotaPeriod.Day, Hard: false)).ShouldBe("1 call a day, more is billed, not refused");
    }

    [Fact]
    public void A_buyer_reads_of_caps_and_of_calls_at_a_time_and_not_of_what_is_only_reported()
    {
        var terms = new PlanTerms("EUR", [GraduatedPrice.PerUnit(0.01m)],
            [new RateLimit("minute", 60, 60_000), new RateLimit("proposed", 30, 60_000, Reach: new LimitReach(Shadow: true))],
            [new PlanQuota("month", 1_000, QuotaPeriod.Month, Hard: true, Shadow: true)],
            Concurrency: [new ConcurrencyLimit("parallel", 8), new ConcurrencyLimit("watched", 2, new LimitReach(Shadow: true))], SpendCap: 10m);
        PlanSentence.Whole(terms).ShouldBe("€0.01 a call; up to 60 calls a minute; up to 8 calls at a time; stops when a month's calls cost €10.00.");
    }

    [Fact]
    public void A_curl_line_can_be_pasted_as_it_stands()
    {
        CurlLine.Get("http://localhost:8080/", "/weather/v1/current?city=Berlin", "tg_live_abc")
            .ShouldBe("curl -H 'X-Api-Key: tg_live_abc' 'http://localhost:8080/weather/v1/current?city=Berlin'");
        CurlLine.Of("POST", "https://api.example.com", "orders", null, """{"name":"O'Neill"}""")
            .ShouldBe("""curl -X POST -H 'X-Api-Key: YOUR_KEY' -H 'Content-Type: application/json' -d '{"name":"O'\''Neill"}' 'https://api.example.com/orders'""");
    }

    [Fact]
    public void No_shell_takes_a_path_for_a_command() =>
        CurlLine.Get("http://x", "/a';rm -rf ~;'").ShouldBe(@"curl -H 'X-Api-Key: YOUR_KEY' 'http://x/a'\'';rm -rf ~;'\'''");

    [Fact]
    public void A_description_runs_no_script_and_fetches_no_picture()
    {
        var html = Prose.Of("""**Hi** <script>alert(1)</script> [a](javascript:alert(1)) [b](https://example.com) ![p](https://spy.example/p.png) <javascript:alert(1)>""").Value;
        html.ShouldContain("<strong>Hi</strong>");
        html.ShouldNotContain("<script");
        html.ShouldNotContain("href=\"javascript:");
        html.ShouldNotContain("<img");
        html.ShouldContain("href=\"https://example.com\"");
    }

    private static PlanTerms Terms(IReadOnlyList<Price> prices) => new("EUR", prices, [], []);
}
