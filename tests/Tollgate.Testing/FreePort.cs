using System.Net;
using System.Net.Sockets;

namespace Tollgate.Testing;

/// <summary>Ports that nobody listens on right now, and that no other run of tests on this machine is given. Prefer port 0 where the server can say what it got.</summary>
/// <remarks>Below those that the system gives to connections that go out: there, one of thousands could take the port before its server does.</remarks>
public static class FreePort
{
    private const int From = 12_000;
    private const int Below = 32_000;

    // A locked file for each that was given, as long as this process lives: a server may be stopped and started again, or meant not to be there at all.
    private static readonly string Given = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), $"tollgate-test-ports-{Environment.UserName}")).FullName;
    private static readonly List<FileStream> Held = [];

    public static int Next()
    {
        while (true)
        {
            var port = Random.Shared.Next(From, Below);
            if (Take(port) is not { } claim) continue;
            try
            {
                using var probe = new TcpListener(IPAddress.Loopback, port);
                probe.Start();
                lock (Held) Held.Add(claim);
                return port;
            }
            catch (SocketException)
            {
                claim.Dispose();    // somebody listens there: another
            }
        }
    }

    private static FileStream? Take(int port)
    {
        try
        {
            return new FileStream(Path.Combine(Given, $"{port}"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;    // another run has it, or this one
        }
    }
}
