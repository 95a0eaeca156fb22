using System.Globalization;
using System.Net;
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
        "time" => ("a time such as 10:00:00Z", text => IsMoment($"2026-01-31T{text}")),
        "duration" => ("a duration such as P1DT12H", text => Duration().IsMatch(text)),
        "email" => ("an address such as somebody@example.com", text => text.Length <= 254 && Mail().Match(text) is { Success: true } mail && IsMailHost(mail.Groups["host"].Value)),
        "hostname" => ("a host name", text => text.Length is > 0 and <= 253 && HostName().IsMatch(text)),
        "ipv4" => ("an IPv4 address", text => IPAddress.TryParse(text, out var address) && address.AddressFamily == AddressFamily.InterNetwork && text.Count(c => c == '.') == 3),
        "ipv6" => ("an IPv6 address", text => !text.Contains('%') && !text.Contains('[') && IPAddress.TryParse(text, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6),
        "uri" => ("a URI", text => Uri.TryCreate(text, UriKind.Absolute, out var uri) && text.StartsWith(uri.Scheme, StringComparison.OrdinalIgnoreCase) && Uri.IsWellFormedUriString(text, UriKind.Absolute)),
        "uri-reference" => ("a URI reference", text => Uri.IsWellFormedUriString(text, UriKind.RelativeOrAbsolute) || Reference().IsMatch(text)),
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

    // A leap second is the last of a day in UTC, wherever the clock hangs (RFC 3339 §5.7).
    private static bool IsMoment(string text)
    {
        if (Moment().Match(text) is not { Success: true } moment || !DateOnly.TryParseExact(moment.Groups["day"].ValueSpan, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _)) return false;
        int Number(string name) => moment.Groups[name] is { Success: true } group ? int.Parse(group.ValueSpan, CultureInfo.InvariantCulture) : 0;
        var (hour, minute, second, aheadHours, aheadMinutes) = (Number("hour"), Number("minute"), Number("second"), Number("h"), Number("m"));
        if (hour > 23 || minute > 59 || second > 60 || aheadHours > 23 || aheadMinutes > 59) return false;
        var ahead = (aheadHours * 60 + aheadMinutes) * (moment.Groups["sign"].ValueSpan is "-" ? -1 : 1);
        return second < 60 || (hour * 60 + minute - ahead + 2 * 1440) % 1440 == 1439;
    }

    private static bool IsMailHost(string host)
    {
        if (host is not ['[', .., ']']) return host.Length <= 253;
        var literal = host[1..^1];
        return literal.StartsWith("IPv6:", StringComparison.OrdinalIgnoreCase)
            ? IPAddress.TryParse(literal[5..], out var six) && six.AddressFamily == AddressFamily.InterNetworkV6
            : literal.Count(c => c == '.') == 3 && IPAddress.TryParse(literal, out var four) && four.AddressFamily == AddressFamily.InterNetwork;
    }

    // RFC 3339 §5.6.
    [GeneratedRegex(@"^(?<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt](?<hour>[0-9]{2}):(?<minute>[0-9]{2}):(?<second>[0-9]{2})(\.[0-9]+)?([Zz]|(?<sign>[+-])(?<h>[0-9]{2}):(?<m>[0-9]{2}))\z", RegexOptions.CultureInvariant)]
    private static partial Regex Moment();

    // RFC 5321 §4.1.2, and letters beyond ASCII (RFC 6531).
    [GeneratedRegex("""^([A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\uFFFF]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\uFFFF]+)*|"([^"\\\r\n]|\\.)*")@(?<host>[A-Za-z0-9\u0080-\uFFFF]([A-Za-z0-9\-\u0080-\uFFFF]*[A-Za-z0-9\u0080-\uFFFF])?(\.[A-Za-z0-9\u0080-\uFFFF]([A-Za-z0-9\-\u0080-\uFFFF]*[A-Za-z0-9\u0080-\uFFFF])?)*|\[[0-9A-Za-z:.]+\])\z""", RegexOptions.CultureInvariant)]
    private static partial Regex Mail();

    // RFC 3986 §4.2, without scheme.
    [GeneratedRegex(@"^(//[A-Za-z0-9\-._~!$&'()*+,;=:@%\[\]]*)?([A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*(\?([A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*)?(#([A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Reference();

    [GeneratedRegex(@"^P(?=.)([0-9]+W|([0-9]+Y)?([0-9]+M)?([0-9]+D)?(T(?=.)([0-9]+H)?([0-9]+M)?([0-9]+S)?)?)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Duration();

    [GeneratedRegex(@"^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex HostName();

    [GeneratedRegex(@"^(/([^/~]|~[01])*)+\z", RegexOptions.CultureInvariant)]
    private static partial Regex JsonPointer();
}
