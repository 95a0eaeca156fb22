using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>
/// Who calls and by which way, as the policy sees it and the upstream is told: the other end of the connection, or what a trusted proxy says. What
/// anybody else says of forwarding is dropped.
/// </summary>
internal struct CallerTrail
{
    /// <summary>The caller's own; IPv4 as such, never mapped.</summary>
    public IPAddress? Address;

    public string AddressText;

    /// <summary><c>X-Forwarded-For</c> to send on.</summary>
    public string For;

    /// <summary><c>X-Forwarded-Proto</c> to send on: how the caller itself came.</summary>
    public string Proto;

    /// <summary><c>X-Forwarded-Host</c> to send on; empty = none.</summary>
    public string Host;

    /// <summary><c>Forwarded</c> to send on (RFC 7239).</summary>
    public string Forwarded;

    public static CallerTrail Of(CallerConnection connection, string host, IHeaderDictionary headers)
    {
        var trail = new CallerTrail
        {
            Address = connection.Address,
            AddressText = connection.AddressText,
            For = connection.AddressText,
            Proto = connection.Scheme,
            Host = host,
            Forwarded = connection.ForwardedElement(host),
        };
        if (connection.IsTrusted) trail.Believe(connection, headers);
        return trail;
    }

    private void Believe(CallerConnection connection, IHeaderDictionary headers)
    {
        var by = headers["X-Forwarded-For"].ToString();
        var forwarded = headers["Forwarded"].ToString();
        // From the nearest hop back, as far as our own proxies reach.
        var hops = by.Length > 0 ? by.Split(',', StringSplitOptions.TrimEntries) : ForwardedNodes(forwarded);
        for (var i = hops.Length - 1; i >= 0 && TryReadNode(hops[i], out var address); i--)
        {
            Address = address;
            AddressText = address.ToString();
            if (!connection.Options.TrustedProxies.Contains(address)) break;
        }

        var proto = Nearest(headers["X-Forwarded-Proto"].ToString());
        if (proto is "http" or "https") Proto = proto;
        else if (by.Length == 0 && Parameter(forwarded, "proto") is "http" or "https") Proto = Parameter(forwarded, "proto")!;
        if (Nearest(headers["X-Forwarded-Host"].ToString()) is { Length: > 0 } host) Host = host;
        else if (by.Length == 0 && Parameter(forwarded, "host") is { Length: > 0 } named) Host = named;
        Continue(by, forwarded, hops, headers);
    }

    // Each list goes on with our hop; one that the proxy did not write is made of the other, so that a service may read either.
    private void Continue(string by, string forwarded, string[] hops, IHeaderDictionary headers)
    {
        if (by.Length > 0) For = $"{by}, {For}";
        else if (hops.Length > 0) For = $"{string.Join(", ", hops.Select(hop => TryReadNode(hop, out var address) ? address.ToString() : "unknown"))}, {For}";

        if (forwarded.Length > 0)
        {
            Forwarded = $"{forwarded}, {Forwarded}";
            return;
        }

        if (hops.Length == 0) return;
        var caller = (headers.ContainsKey("X-Forwarded-Host") && Host.AsSpan().IndexOfAny('"', '\\') < 0 ? $";host=\"{Host}\"" : "") + (headers.ContainsKey("X-Forwarded-Proto") ? $";proto={Proto}" : "");
        Forwarded = $"{string.Join(", ", hops.Select((hop, i) => $"for={Node(hop)}{(i == 0 ? caller : "")}"))}, {Forwarded}";
    }

    private static string Node(string hop) =>
        !TryReadNode(hop, out var address) ? "unknown" : address.AddressFamily == AddressFamily.InterNetworkV6 ? $"\"[{address}]\"" : address.ToString();

    // Of a list written by several proxies, the caller's own is the first.
    private static string Nearest(string list)
    {
        var comma = list.IndexOf(',');
        return (comma < 0 ? list : list[..comma]).Trim();
    }

    private static string[] ForwardedNodes(string forwarded) =>
        [.. forwarded.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(element => Parameter(element, "for") ?? "")];

    private static string? Parameter(string forwarded, string name)
    {
        foreach (var pair in forwarded.Split(',')[0].Split(';', StringSplitOptions.TrimEntries))
        {
            var equals = pair.IndexOf('=');
            if (equals > 0 && pair.AsSpan(0, equals).Trim().Equals(name, StringComparison.OrdinalIgnoreCase)) return pair[(equals + 1)..].Trim().Trim('"');
        }

        return null;
    }

    // 192.0.2.1, 192.0.2.1:4711, 2001:db8::1, [2001:db8::1]:4711.
    private static bool TryReadNode(string node, out IPAddress address)
    {
        node = node.Trim('"');
        if (IPAddress.TryParse(node, out var alone)) address = alone;
        else if (IPEndPoint.TryParse(node, out var withPort)) address = withPort.Address;
        else
        {
            address = IPAddress.None;
            return false;
        }

        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return true;
    }
}
