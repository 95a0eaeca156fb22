using System.Collections.Frozen;

namespace Tollgate.Billing.Rating;

/// <summary>An ISO 4217 currency, and the one place where amounts are rounded.</summary>
public readonly record struct Currency
{
    private const string TwoDecimals =
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK " +
        "DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR " +
        "LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR " +
        "SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW";

    private const string NoDecimals = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
    private const string ThreeDecimals = "BHD IQD JOD KWD LYD OMR TND";

    private static readonly FrozenDictionary<string, int> Known = new[] { (TwoDecimals, 2), (NoDecimals, 0), (ThreeDecimals, 3) }
        .SelectMany(group => group.Item1.Split(' ').Select(code => (code, group.Item2)))
        .ToFrozenDictionary(pair => pair.code, pair => pair.Item2, StringComparer.Ordinal);

    private Currency(string code, int minorUnits) => (Code, MinorUnits) = (code, minorUnits);

    /// <summary>Three capital letters, such as <c>EUR</c>.</summary>
    public string Code { get; }

    /// <summary>Decimals of the smallest coin: 2 for euros, 0 for yen, 3 for Kuwaiti dinars.</summary>
    public int MinorUnits { get; }

    public static bool TryParse(string? code, out Currency currency)
    {
        var known = Known.TryGetValue(code ?? "", out var minorUnits);
        currency = known ? new Currency(code!, minorUnits) : default;
        return known;
    }

    /// <summary>For codes that were validated when they came in.</summary>
    public static Currency Of(string code) =>
        TryParse(code, out var currency) ? currency : throw new ArgumentException($"{code} is not a currency of ISO 4217.", nameof(code));

    /// <summary>Half a coin goes away from zero. Called for an invoice line, and nowhere else.</summary>
    public decimal Round(decimal exact) => Math.Round(exact, MinorUnits, MidpointRounding.AwayFromZero);

    public override string ToString() => Code;
}
