using System.Globalization;
using System.Net;
using System.Net.Mail;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Tollgate.Gateway.Bodies.Schemas;

/// <summary>The formats of texts and numbers that are held to; others are only words.</summary>
internal static partial class SchemaFormat
{
    /// <summary>What a text of the format is called; null = the format is not held to.</summary>
    public static (string Words, Func<string, bool> Is)? OfTexts(string format) => format switch
    {
        "date-time" => ("a moment such as 2026-01-31T10:00:00Z", IsMoment),
        "date" => ("a day such as 2026-01-31", text => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _)),
        "time" => ("a time such as 10:00:00Z", text => Time().IsMatch(text) && IsMoment($"2026-01-31T{text}")),
        "duration" => ("a duration such as P1DT12H", text => Duration().IsMatch(text)),
        "email" => ("an address such as somebody@example.com", text => text.Length <= 254 && !text.Contains(' ') && MailAddress.TryCreate(text, out var address) && address.Address == text),
        "hostname" => ("a host name", text => text.Length is > 0 and <= 253 && HostName().IsMatch(text)),
        "ipv4" => ("an IPv4 address", text => IPAddress.TryParse(text, out var address) && address.AddressFamily == AddressFamily.InterNetwork && text.Count(c => c == '.') == 3),
        "ipv6" => ("an IPv6 address", text => !text.Contains('%') && !text.Contains('[') && IPAddress.TryParse(text, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6),
        "uri" => ("a URI", text => Uri.TryCreate(text, UriKind.Absolute, out var uri) && text.StartsWith(uri.Scheme, StringComparison.OrdinalIgnoreCase) && Uri.IsWellFormedUriString(text, UriKind.Absolute)),
        "uri-reference" => ("a URI reference", text => Uri.IsWellFormedUriString(text, UriKind.RelativeOrAbsolute)),
        "uuid" or "guid" => ("a UUID", text => Guid.TryParseExact(text, "D", out _)),
        "byte" => ("text in base64", text => text.Length % 4 == 0 && Convert.TryFromBase64String(text, new byte[text.Length], out _)),
        "json-pointer" => ("a JSON pointer", text => text.Length == 0 || JsonPointer().IsMatch(text)),
        "regex" => ("a regular expression", text => SchemaPattern.Parse(text) is not null),
        _ => null,
    };

    /// <summary>Bounds of a number of the format; null = the format is not held to.</summary>
    public static (decimal Least, decimal Most)? OfNumbers(string format) => format switch
    {
        "int32" => (int.MinValue, int.MaxValue),
        "int64" => (long.MinValue, long.MaxValue),
        _ => null,
    };

    private static bool IsMoment(string text) =>
        Moment().IsMatch(text) && DateTimeOffset.TryParse(text.Replace(":60", ":59", StringComparison.Ordinal), CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out _);

    // RFC 3339 §5.6.
    [GeneratedRegex(@"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})\z", RegexOptions.CultureInvariant)]
    private static partial Regex Moment();

    [GeneratedRegex(@"^[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})\z", RegexOptions.CultureInvariant)]
    private static partial Regex Time();

    [GeneratedRegex(@"^P(?=.)([0-9]+W|([0-9]+Y)?([0-9]+M)?([0-9]+D)?(T(?=.)([0-9]+H)?([0-9]+M)?([0-9]+S)?)?)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Duration();

    [GeneratedRegex(@"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex HostName();

    [GeneratedRegex(@"^(/([^/~]|~[01])*)+\z", RegexOptions.CultureInvariant)]
    private static partial Regex JsonPointer();
}
