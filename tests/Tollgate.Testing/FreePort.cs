using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Tollgate.Testing;

/// <summary>Ports that nobody listens on right now. Prefer port 0 where the server can say what it got.</summary>
/// <remarks>Below those that the system gives to connections that go out: there, one of thousands could take the port before its server does.</remarks>
public static class FreePort
{
    private const int From = 12_000;
    private const int Below = 32_000;

    private static readonly ConcurrentDictionary<int, bool> Given = new();

    public static int Next()
    {
        while (true)
        {
            var port = Random.Shared.Next(From, Below);
            if (!Given.TryAdd(port, true)) continue;
            try
            {
                using var probe = new TcpListener(IPAddress.Loopback, port);
                probe.Start();
                return port;
            }
            catch (SocketException)
            {
                // somebody listens there: another
            }
        }
    }
}
