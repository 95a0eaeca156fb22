using System.Net;
using System.Net.Sockets;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Limits;

/// <summary>A wire to a server that can be cut for one of its clients.</summary>
internal sealed class Wire : IAsyncDisposable
{
    private readonly int _server;
    private readonly List<TcpClient> _ends = [];
    private TcpListener _listener;
    private bool _isCut;

    public Wire(int server)
    {
        _server = server;
        _listener = Listen(Port);
    }

    public int Port { get; } = FreePort.Next();    // none that a connection could be given while it is cut

    public void Cut()
    {
        lock (_ends)
        {
            _isCut = true;
            _listener.Stop();
            Drop();
        }
    }

    public void Mend()
    {
        lock (_ends)
        {
            _isCut = false;
            _listener = Listen(Port);
        }
    }

    public ValueTask DisposeAsync()
    {
        Cut();
        return ValueTask.CompletedTask;
    }

    private void Drop()
    {
        foreach (var end in _ends) end.Dispose();
        _ends.Clear();
    }

    private TcpListener Listen(int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, port);
        listener.Server.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Start();
        _ = AcceptAsync(listener);
        return listener;
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                var near = await listener.AcceptTcpClientAsync();
                var far = new TcpClient();
                await far.ConnectAsync("127.0.0.1", _server);
                lock (_ends)
                {
                    _ends.AddRange([near, far]);
                    if (_isCut) Drop();    // cut while it was made
                }
                (near.NoDelay, far.NoDelay) = (true, true);
                _ = CopyAsync(near, far);
                _ = CopyAsync(far, near);
            }
        }
        catch (Exception cut) when (cut is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // cut
        }
    }

    private static async Task CopyAsync(TcpClient from, TcpClient to)
    {
        try
        {
            await from.GetStream().CopyToAsync(to.GetStream());
        }
        catch (Exception cut) when (cut is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // cut
        }
    }
}
