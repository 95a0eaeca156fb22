using Tollgate.Billing.Rating;

namespace Tollgate.UnitTests.Billing;

public sealed class CurrencyTests
{
    [Theory]
    [InlineData("EUR", 0.005, 0.01)]
    [InlineData("EUR", 0.0049999, 0)]
    [InlineData("EUR", 2.675, 2.68)]
    [InlineData("EUR", -0.005, -0.01)]
    [InlineData("JPY", 1.5, 2)]
    [InlineData("JPY", 0.49, 0)]
    [InlineData("KWD", 0.0005, 0.001)]
    public void Half_a_coin_goes_away_from_zero(string code, decimal exact, decimal rounded) => Currency.Of(code).Round(exact).ShouldBe(rounded);

    [Theory]
    [InlineData("eur")]
    [InlineData("EURO")]
    [InlineData("XXX")]
    [InlineData("")]
    [InlineData(null)]
    public void What_is_not_a_currency_is_refused(string? code) => Currency.TryParse(code, out _).ShouldBeFalse();
}
