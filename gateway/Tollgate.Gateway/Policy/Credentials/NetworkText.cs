using System.Net;
using System.Net.Sockets;

namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>Reads <c>10.0.0.0/8</c>, <c>2001:db8::/32</c>, or a single address. IPv4 that is written as IPv6 (<c>::ffff:10.0.0.0/104</c>) is IPv4, as callers are.</summary>
internal static class NetworkText
{
    private const int MappedBits = 96;

    public static bool TryParse(string? text, out IPNetwork network)
    {
        if (!IPNetwork.TryParse(text, out network))
        {
            if (text is null || text.Contains('/') || !IPAddress.TryParse(text, out var address)) return false;
            network = new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
        }

        if (network.BaseAddress.IsIPv4MappedToIPv6 && network.PrefixLength >= MappedBits) network = new IPNetwork(network.BaseAddress.MapToIPv4(), network.PrefixLength - MappedBits);
        return true;
    }
}
