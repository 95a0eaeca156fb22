using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Tollgate.Gateway.Policy.Routing;

/// <summary>
/// Addresses from one to another, both included, of one family. Written as an address, <c>address/prefix</c>, <c>address/mask</c>, <c>from-to</c> or,
/// for IPv4, <c>from-lastbyte</c>.
/// </summary>
internal readonly record struct AddressRange(bool IsV6, UInt128 From, UInt128 To)
{
    public static bool TryParse(string text, out AddressRange range)
    {
        range = default;
        text = text.Trim();
        if (text.IndexOf('/') is var slash and > 0) return TryParseNetwork(text[..slash].Trim(), text[(slash + 1)..].Trim(), out range);
        if (text.IndexOf('-') is var dash and > 0) return TryParseSpan(text[..dash].Trim(), text[(dash + 1)..].Trim(), out range);
        if (!TryParseAddress(text, out var isV6, out var address)) return false;
        range = new AddressRange(isV6, address, address);
        return true;
    }

    /// <summary>An address as a number, a mapped IPv4 address as IPv4.</summary>
    public static UInt128 NumberOf(IPAddress address, out bool isV6)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        isV6 = address.AddressFamily == AddressFamily.InterNetworkV6;
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        return isV6 ? BinaryPrimitives.ReadUInt128BigEndian(bytes) : BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }

    private static bool TryParseNetwork(string text, string size, out AddressRange range)
    {
        range = default;
        if (!TryParseAddress(text, out var isV6, out var address)) return false;

        var bits = isV6 ? 128 : 32;
        var all = isV6 ? UInt128.MaxValue : uint.MaxValue;
        UInt128 host;
        if (int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var prefix))
        {
            if (prefix > bits) return false;
            host = prefix == 0 ? all : all >> prefix;
        }
        else
        {
            // A mask is ones, then zeros: the rest of it plus one is a power of two.
            if (!TryParseAddress(size, out var maskIsV6, out var mask) || maskIsV6 != isV6) return false;
            host = all ^ mask;
            if ((host & (host + 1)) != 0) return false;
        }

        var from = address & (all ^ host);
        range = new AddressRange(isV6, from, from | host);
        return true;
    }

    private static bool TryParseSpan(string first, string last, out AddressRange range)
    {
        range = default;
        if (!TryParseAddress(first, out var isV6, out var from)) return false;

        UInt128 to;
        if (!isV6 && byte.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var lastByte)) to = (from & 0xFFFFFF00u) | lastByte;
        else if (!TryParseAddress(last, out var lastIsV6, out to) || lastIsV6 != isV6) return false;

        range = new AddressRange(isV6, from, to);
        return from <= to;
    }

    // Strict: "10.1" and "010.0.0.1" mean different addresses to different readers.
    private static bool TryParseAddress(string text, out bool isV6, out UInt128 number)
    {
        isV6 = false;
        number = 0;
        if (text.AsSpan().IndexOfAny("%[]") >= 0 || !IPAddress.TryParse(text, out var address)) return false;
        if (address.AddressFamily == AddressFamily.InterNetwork && address.ToString() != text) return false;
        number = NumberOf(address, out isV6);
        return true;
    }
}
