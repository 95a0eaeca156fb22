using System.Net;
using System.Net.Sockets;

namespace Tollgate.Testing;

/// <summary>Ports that nobody listens on right now. Prefer port 0 where the server can say what it got.</summary>
public static class FreePort
{
    public static int Next()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
