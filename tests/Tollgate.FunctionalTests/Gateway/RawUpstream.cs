using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>
/// An upstream that keeps every byte of each connection as it came, and answers each head that it sees with <c>200 ok</c>: what a service sees that reads
/// messages naively. A smuggled request would show as a head of its own.
/// </summary>
internal sealed class RawUpstream : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<Task> _connections = [];
    private readonly ConcurrentQueue<StringBuilder> _received = new();
    private readonly Task _accepting;

    private RawUpstream()
    {
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The bytes of all connections, one after the other.</summary>
    public string Received
    {
        get
        {
            var all = new StringBuilder();
            foreach (var connection in _received)
                lock (connection) all.Append(connection).Append('\n');
            return all.ToString();
        }
    }

    public static RawUpstream Start() => new();

    public void Forget()
    {
        foreach (var connection in _received)
            lock (connection) connection.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_connections);
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                var received = new StringBuilder();
                _received.Enqueue(received);
                _connections.Add(ServeAsync(client, received));
            }
        }
        catch (Exception over) when (over is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ServeAsync(TcpClient client, StringBuilder received)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                var buffer = new byte[65536];
                while (await stream.ReadAsync(buffer, _stop.Token) is var read and > 0)
                {
                    var text = Encoding.Latin1.GetString(buffer, 0, read);
                    lock (received) received.Append(text);
                    if (text.Contains("\r\n\r\n")) await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"u8.ToArray(), _stop.Token);
                }
            }
            catch (Exception over) when (over is OperationCanceledException or IOException)
            {
            }
        }
    }
}
