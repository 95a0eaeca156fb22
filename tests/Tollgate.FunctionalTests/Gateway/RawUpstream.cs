using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Tollgate.Testing;

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
    private readonly ConcurrentQueue<Connection> _received = new();
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
                lock (connection.Gate) all.Append(connection.Bytes).Append('\n');
            return all.ToString();
        }
    }

    public static RawUpstream Start() => new();

    /// <summary>Forgets what was sent to it so far, also what it has yet to read.</summary>
    public async Task ForgetAsync()
    {
        var quiet = 0;
        await Deadline.UntilAsync("all that was sent is read", () =>
        {
            quiet = _listener.Pending() || _received.Any(connection => connection.HasUnread) ? 0 : quiet + 1;
            return Task.FromResult(quiet == 2);
        });
        foreach (var connection in _received)
            lock (connection.Gate) connection.Bytes.Clear();
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
                var connection = new Connection(client);
                _received.Enqueue(connection);
                _connections.Add(ServeAsync(connection));
            }
        }
        catch (Exception over) when (over is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ServeAsync(Connection connection)
    {
        using (connection.Client)
        {
            try
            {
                var stream = connection.Client.GetStream();
                while (true)
                {
                    _ = await stream.ReadAsync(Memory<byte>.Empty, _stop.Token);    // until there is something
                    if (connection.Read() is not { } text) continue;
                    if (text.Length == 0) return;
                    if (text.Contains("\r\n\r\n")) await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"u8.ToArray(), _stop.Token);
                }
            }
            catch (Exception over) when (over is OperationCanceledException or IOException or SocketException)
            {
            }
        }
    }

    /// <summary>What is read is remembered at once: there is no moment in between.</summary>
    private sealed class Connection(TcpClient client)
    {
        private readonly byte[] _buffer = new byte[65536];

        public Lock Gate { get; } = new();
        public TcpClient Client => client;
        public StringBuilder Bytes { get; } = new();

        public bool HasUnread
        {
            get
            {
                lock (Gate)
                {
                    try
                    {
                        return client.Available > 0;
                    }
                    catch (Exception over) when (over is ObjectDisposedException or SocketException)
                    {
                        return false;
                    }
                }
            }
        }

        /// <summary>What is there; null = nothing yet. It never waits: who looks at the bytes would wait too, and the sender perhaps for him.</summary>
        public string? Read()
        {
            lock (Gate)
            {
                if (!client.Client.Poll(0, SelectMode.SelectRead)) return null;
                var text = Encoding.Latin1.GetString(_buffer, 0, client.Client.Receive(_buffer));
                Bytes.Append(text);
                return text;
            }
        }
    }
}
