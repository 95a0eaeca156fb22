using System.Globalization;
using Tollgate.Billing.Rating;

namespace Tollgate.Portal.Wording;

/// <summary>Amounts as people read them: €29.00, €0.001, CHF 1,250.00. Never rounds what is owed: a unit price keeps all its decimals.</summary>
internal static class MoneyText
{
    /// <summary>An amount with the decimals of its currency; further decimals only where the amount has them.</summary>
    public static string Of(decimal amount, string currency)
    {
        var decimals = Currency.TryParse(currency, out var known) ? known.MinorUnits : 2;
        var format = "#,0" + (decimals > 0 ? "." + new string('0', decimals) + "##########" : ".##########");
        var digits = Math.Abs(amount).ToString(format, CultureInfo.InvariantCulture);
        return (amount < 0 ? "−" : "") + Mark(currency) + digits;
    }

    /// <summary>A sum still in the making, rounded as its invoice line will be.</summary>
    public static string Rounded(decimal amount, string currency) =>
        Of(Currency.TryParse(currency, out var known) ? known.Round(amount) : amount, currency);

    private static string Mark(string currency) => currency switch
    {
        "EUR" => "€",
        "USD" => "$",
        "GBP" => "£",
        "JPY" => "¥",
        _ => currency + "\u00a0",
    };
}
