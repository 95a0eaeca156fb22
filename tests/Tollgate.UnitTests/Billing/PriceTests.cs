using System.Text.Json;
using Tollgate.Billing.Rating;
using Tollgate.Billing.Storage;

namespace Tollgate.UnitTests.Billing;

public sealed class PriceTests
{
    private static readonly GraduatedPrice Pro = new([new Tier(20_000, 0m), new Tier(100_000, 0.001m), new Tier(null, 0.0006m)]);
    private static readonly GraduatedPrice Falling = new([new Tier(1_000, 0.3m), new Tier(3_000, 0.2m), new Tier(null, 0.1m)]);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(20_000, 0)]
    [InlineData(20_001, 0.001)]
    [InlineData(25_000, 5)]
    [InlineData(100_000, 80)]
    [InlineData(100_001, 80.0006)]
    [InlineData(115_007, 89.0042)]
    [InlineData(1_000_000_000_000, 600_000_020)]
    public void An_allowance_and_its_overage(long units, decimal amount) => Total(Pro, units).ShouldBe(amount);

    [Theory]
    [InlineData(1_000, 300)]
    [InlineData(1_001, 300.2)]
    [InlineData(3_000, 700)]
    [InlineData(6_000, 1_000)]
    public void Each_unit_is_charged_at_the_rate_of_its_own_tier(long units, decimal amount) => Total(Falling, units).ShouldBe(amount);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0.0000001)]
    [InlineData(12_345_678, 1.2345678)]
    public void A_price_per_unit_is_one_tier_and_exact(long units, decimal amount) => Total(GraduatedPrice.PerUnit(0.0000001m), units).ShouldBe(amount);

    [Theory]
    [InlineData(1, 29)]
    [InlineData(0.5, 14.5)]
    [InlineData(0, 0)]
    public void A_base_fee_is_owed_by_its_share_of_the_period(decimal share, decimal amount) => new FlatPrice(29m).Rate(share).Sum(l => l.Amount).ShouldBe(amount);

    [Fact]
    public void The_lines_say_what_they_are_for() => Pro.Rate(120_000).Select(l => (l.Description, l.Quantity, l.UnitPrice)).ShouldBe(
    [
        ("Included requests, up to 20,000", 20_000m, 0m),
        ("Requests 20,001 to 100,000", 80_000m, 0.001m),
        ("Requests beyond 100,000", 20_000m, 0.0006m),
    ]);

    [Fact]
    public void More_units_never_cost_less_and_every_unit_is_on_a_line() => ForManyPrices((random, price) =>
    {
        var (few, more) = (random.Next(50_000), random.Next(50_000));
        if (few > more) (few, more) = (more, few);
        Total(price, more).ShouldBeGreaterThanOrEqualTo(Total(price, few));
        price.Rate(more).Sum(l => l.Quantity).ShouldBe(more);
    });

    [Fact]
    public void A_tier_that_is_cut_in_two_changes_no_total() => ForManyPrices((random, price) =>
    {
        var (start, i) = (0m, random.Next(price.Tiers.Count));
        if (i > 0) start = price.Tiers[i - 1].UpTo!.Value;
        var cut = new Tier(start + random.Next(1, 50), price.Tiers[i].UnitPrice);
        if (cut.UpTo >= price.Tiers[i].UpTo) return;
        var inTwo = new GraduatedPrice([.. price.Tiers.Take(i), cut, .. price.Tiers.Skip(i)]);
        var units = random.Next(50_000);
        Total(inTwo, units).ShouldBe(Total(price, units));
    });

    [Fact]
    public void The_cost_of_pieces_is_the_cost_of_the_whole_in_any_order() => ForManyPrices((random, price) =>
    {
        var pieces = Enumerable.Range(0, random.Next(1, 20)).Select(_ => random.Next(3_000)).ToList();
        foreach (var order in new[] { pieces, [.. pieces.OrderBy(_ => random.Next())] })
        {
            var (units, cost) = (0m, 0m);
            foreach (var piece in order)
            {
                cost += Total(price, units + piece) - Total(price, units);
                units += piece;
            }

            cost.ShouldBe(Total(price, pieces.Sum()));
        }
    });

    [Fact]
    public void A_price_comes_back_from_its_column_as_it_went_in()
    {
        IReadOnlyList<Price> prices = [new FlatPrice(29.00m), Pro, GraduatedPrice.PerUnit(0.000000000001m, "tokens")];
        var text = JsonSerializer.Serialize(prices, BillingJson.Default.IReadOnlyListPrice);
        text.ShouldStartWith("""[{"kind":"flat","fee":29},{"kind":"graduated","tiers":[{"upTo":20000,"unitPrice":0},""");
        var again = JsonSerializer.Deserialize(text, BillingJson.Default.IReadOnlyListPrice)!;
        JsonSerializer.Serialize(again, BillingJson.Default.IReadOnlyListPrice).ShouldBe(text);
        again[2].ShouldBeOfType<GraduatedPrice>().Meter.ShouldBe("tokens");
        again[1].ShouldBeOfType<GraduatedPrice>().Tiers.ShouldBe(Pro.Tiers);
    }

    private static decimal Total(Price price, decimal units) => price.Rate(units).Sum(l => l.Amount);

    private static void ForManyPrices(Action<Random, GraduatedPrice> check)
    {
        for (var seed = 0; seed < 500; seed++)
        {
            var random = new Random(seed);
            var (tiers, end) = (new List<Tier>(), 0m);
            for (var i = random.Next(5); i > 0; i--) tiers.Add(new Tier(end += random.Next(1, 10_000), random.Next(10_000) / 100_000m));
            tiers.Add(new Tier(null, random.Next(10_000) / 100_000m));
            try
            {
                check(random, new GraduatedPrice(tiers));
            }
            catch (Exception failed)
            {
                throw new InvalidOperationException($"Seed {seed}: {string.Join(", ", tiers)}", failed);
            }
        }
    }
}
