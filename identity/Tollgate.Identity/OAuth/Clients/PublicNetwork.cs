using System.Net;
using System.Net.Sockets;

namespace Tollgate.Identity.OAuth.Clients;

/// <summary>
/// Calls to addresses that customers wrote down reach the public internet and nothing behind this server: whatever a name is said to resolve to, the
/// address is looked at when the connection is made.
/// </summary>
internal static class PublicNetwork
{
    private static readonly IPNetwork[] Inner =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15",
            "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3", "::/96", "100::/64", "2001:db8::/32", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
        }.Select(network => IPNetwork.Parse(network)),
    ];

    // What these hold in their last or middle 32 bits is an address of IPv4 (RFC 6052, RFC 3056).
    private static readonly IPNetwork Translated = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");

    public static bool Has(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            var bytes = address.GetAddressBytes();
            if (Translated.Contains(address)) return Has(new IPAddress(bytes.AsSpan(12, 4)));
            if (SixToFour.Contains(address)) return Has(new IPAddress(bytes.AsSpan(2, 4)));
        }

        return !Inner.Any(network => network.Contains(address));
    }

    /// <summary>For <see cref="System.Net.Http.SocketsHttpHandler.ConnectCallback"/>.</summary>
    public static async ValueTask<Stream> ConnectAsync(System.Net.Http.SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        var addresses = await Dns.GetHostAddressesAsync(context.DnsEndPoint.Host, cancel);
        var outside = addresses.Where(Has).ToArray();
        if (outside.Length == 0) throw new HttpRequestException($"{context.DnsEndPoint.Host} is no address of the public internet: see {PrivateOption}");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(outside, context.DnsEndPoint.Port, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private const string PrivateOption = TollgateIdentityOptions.Section + ":" + nameof(TollgateIdentityOptions.BackChannelIntoPrivateNetworks);
}
