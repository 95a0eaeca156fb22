using Tollgate.Billing.Catalogue;
using Tollgate.Billing.Rating;
using Tollgate.Contracts.Feeds;

namespace Tollgate.UnitTests.Billing;

public sealed class CatalogueRulesTests
{
    private static readonly ProductForm Product = new("Weather", "", "/weather/v1", "", true);
    private static readonly PlanTerms Terms = new("EUR", [new FlatPrice(1m)], [new RateLimit("minute", 10, 60_000)], [new PlanQuota("month", 5, QuotaPeriod.Month, true)]);

    public static TheoryData<string, PlanTerms> WrongTerms => new()
    {
        { "currency", Terms with { Currency = "euro" } },
        { "prices", Terms with { Prices = [new FlatPrice(-1m)] } },
        { "prices", Terms with { Prices = [new FlatPrice(0.0000000000001m)] } },
        { "prices", Terms with { Prices = [new GraduatedPrice([])] } },
        { "prices", Terms with { Prices = [new GraduatedPrice([new Tier(10, 1m)])] } },
        { "prices", Terms with { Prices = [new GraduatedPrice([new Tier(null, 1m), new Tier(null, 1m)])] } },
        { "prices", Terms with { Prices = [new GraduatedPrice([new Tier(10, 1m), new Tier(10, 2m), new Tier(null, 1m)])] } },
        { "prices", Terms with { Prices = [new GraduatedPrice([new Tier(10.5m, 1m), new Tier(null, 1m)])] } },
        { "prices", Terms with { Prices = [GraduatedPrice.PerUnit(1m), GraduatedPrice.PerUnit(2m)] } },
        { "prices", Terms with { Prices = [GraduatedPrice.PerUnit(1m, "a b")] } },
        { "limits", Terms with { Limits = [new RateLimit("minute", 0, 60_000)] } },
        { "limits", Terms with { Limits = [new RateLimit("minute", 1, 99)] } },
        { "limits", Terms with { Limits = [new RateLimit("per minute", 1, 1_000)] } },
        { "limits", Terms with { Limits = [new RateLimit("month", 1, 1_000)] } },
        { "quotas", Terms with { Quotas = [new PlanQuota("month", 0, QuotaPeriod.Month, true)] } },
        { "quotas", Terms with { Quotas = [new PlanQuota("month", 1, (QuotaPeriod)9, true)] } },
        { "concurrency", Terms with { Concurrency = [new ConcurrencyLimit("parallel", 0)] } },
        { "concurrency", Terms with { Concurrency = [new ConcurrencyLimit("minute", 5)] } },
        { "concurrency", Terms with { Concurrency = [new ConcurrencyLimit("parallel", 5, new LimitReach(Overrides: "minute"))] } },
        { "spendCap", Terms with { SpendCap = 0 } },
        { "spendCap", Terms with { SpendCap = 10 } },
        { "spendCap", Terms with { Prices = [GraduatedPrice.PerUnit(1m)], SpendCap = 0.5m } },
        { "quotas", Terms with { Prices = [GraduatedPrice.PerUnit(1m)], SpendCap = 5, Quotas = [new PlanQuota("spend-cap", 5, QuotaPeriod.Month, true)] } },
        { "onLedgerLoss", Terms with { OnLedgerLoss = (LedgerLoss)9 } },
    };

    [Theory, MemberData(nameof(WrongTerms))]
    public void Wrong_terms_are_refused_with_a_sentence_at_their_field(string field, PlanTerms wrong)
    {
        var error = CatalogueRules.Check(wrong).First(e => e.Key == field);
        error.Value.ShouldEndWith(".");
    }

    [Fact]
    public void Good_terms_pass() => CatalogueRules.Check(Terms).ShouldBeEmpty();

    [Fact]
    public void A_cap_on_money_is_as_many_calls_as_it_buys()
    {
        SpendCap.UnitsFor(10m, [GraduatedPrice.PerUnit(0.003m)]).ShouldBe(3_333);
        SpendCap.UnitsFor(10m, [new FlatPrice(29m), new GraduatedPrice([new Tier(1000, 0m), new Tier(1500, 0.01m), new Tier(null, 0.005m)])]).ShouldBe(1500 + 1000);
        SpendCap.UnitsFor(5m, [new GraduatedPrice([new Tier(1000, 0m), new Tier(1500, 0.01m), new Tier(null, 0.005m)])]).ShouldBe(1500);
        SpendCap.UnitsFor(10m, [new GraduatedPrice([new Tier(null, 0m)])]).ShouldBeNull();
        SpendCap.UnitsFor(10m, [new FlatPrice(5m)]).ShouldBeNull();
        CatalogueRules.Check(Terms with { Prices = [GraduatedPrice.PerUnit(0.003m)], SpendCap = 10, Concurrency = [new ConcurrencyLimit("parallel", 8)] }).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("weather", true)]
    [InlineData("w", true)]
    [InlineData("weather-2", true)]
    [InlineData("Weather", false)]
    [InlineData("-weather", false)]
    [InlineData("weather-", false)]
    [InlineData("wea ther", false)]
    [InlineData("weather\n", false)]
    [InlineData("", false)]
    public void A_name_is_a_slug(string name, bool passes) => CatalogueRules.Check(name, Product).ContainsKey("name").ShouldBe(!passes);

    [Theory]
    [InlineData("", true)]
    [InlineData("openapi: 3.1.0", true)]
    [InlineData("{ \"openapi\": \"3.1.0\" }", true)]
    [InlineData("{ \"swagger\": \"2.0\" }", false)]
    [InlineData("{ \"openapi\": ", false)]
    public void An_OpenAPI_document_in_JSON_is_looked_at(string document, bool passes) =>
        CatalogueRules.Check("weather", Product with { OpenApi = document }).ContainsKey("openApi").ShouldBe(!passes);
}
