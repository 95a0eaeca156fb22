using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>What stays the same for every call of a connection, found out once.</summary>
internal sealed class CallerConnection
{
    private CallerConnection(IPAddress? address)
    {
        Address = address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;
        AddressText = Address?.ToString() ?? "unknown";
    }

    public IPAddress? Address { get; }
    public string AddressText { get; }

    /// <summary>Connection middleware that makes it a feature of the connection.</summary>
    public static ConnectionDelegate Attach(ConnectionDelegate next) => connection =>
    {
        connection.Features.Set(new CallerConnection((connection.RemoteEndPoint as IPEndPoint)?.Address));
        return next(connection);
    };

    public static CallerConnection Of(IPAddress? address) => new(address);
}
