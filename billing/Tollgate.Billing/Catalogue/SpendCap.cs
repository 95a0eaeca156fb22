using Tollgate.Billing.Rating;

namespace Tollgate.Billing.Catalogue;

/// <summary>Turns a cap on money into units, the only thing that gateways know: how many calls can be bought for it.</summary>
internal static class SpendCap
{
    /// <summary>Units of the default meter that cost no more than <paramref name="cap"/> together; null when they never would cost more.</summary>
    public static long? UnitsFor(decimal cap, IReadOnlyList<Price> prices)
    {
        if (prices.OfType<GraduatedPrice>().FirstOrDefault(price => price.Meter == Price.DefaultMeter) is not { } price) return null;
        var (units, left) = (0m, cap);
        foreach (var (upTo, unitPrice) in price.Tiers)
        {
            var room = upTo is { } end ? end - units : decimal.MaxValue;
            if (unitPrice > 0 && left < decimal.MaxValue)
            {
                var affordable = decimal.Floor(left / unitPrice);
                if (affordable < room) return (long)Math.Min(long.MaxValue, units + affordable);
                left -= room * unitPrice;
            }
            if (upTo is null) return null;
            units += room;
        }

        return null;
    }
}
