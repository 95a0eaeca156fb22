namespace Tollgate.Billing.Metering;

/// <summary>How long the words of a usage row may be. Longer ones are cut, not refused: what was used is owed, whatever it is called.</summary>
internal static class UsageText
{
    public const int Node = 100;
    public const int Credential = 200;
    public const int Product = 64;
    public const int Route = 300;
    public const int Meter = 64;

    /// <summary>At most <paramref name="length"/> characters, none of which PostgreSQL refuses to store.</summary>
    public static string Fit(string text, int length)
    {
        if (text.Length > length) text = text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)];
        return text.Contains('\0') ? text.Replace('\0', '\uFFFD') : text;
    }
}
