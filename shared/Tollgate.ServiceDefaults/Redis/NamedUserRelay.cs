using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace Tollgate.ServiceDefaults.Redis;

/// <summary>
/// Lets the client library be a named user of an access control list: it can say <c>AUTH password</c> alone, and such a user says <c>AUTH user password</c>. Its connections
/// go through a port of this process, which takes what it says first, says the right thing to the server in its place, and from then on only passes bytes on. Nobody
/// else can use that port: the password that it asks for is made anew for each process.
/// </summary>
internal sealed class NamedUserRelay : IAsyncDisposable
{
    private const int DefaultPort = 6379;
    private const int DefaultTlsPort = 6380;
    private static readonly TimeSpan SpeaksWithin = TimeSpan.FromSeconds(1);

    private readonly byte[] _fromLibrary;
    private readonly byte[] _toServer;
    private readonly ServerTls? _tls;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Socket> _listeners = [];
    private readonly List<Task> _accepting = [];

    private NamedUserRelay(byte[] fromLibrary, byte[] toServer, ServerTls? tls) => (_fromLibrary, _toServer, _tls) = (fromLibrary, toServer, tls);

    /// <summary>Puts itself between the library and the servers that the options name.</summary>
    /// <param name="tls">How the servers are spoken to; null = in the clear.</param>
    public static NamedUserRelay Start(ConfigurationOptions options, string user, ServerTls? tls)
    {
        var secret = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        var relay = new NamedUserRelay(Command("AUTH", secret), Command("AUTH", user, options.Password ?? ""), tls);
        var servers = options.EndPoints.ToArray();
        options.EndPoints.Clear();
        foreach (var server in servers) options.EndPoints.Add(relay.Listen(WithPort(server, tls is null ? DefaultPort : DefaultTlsPort)));
        options.Password = secret;
        options.Ssl = false;
        return relay;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var listener in _listeners) listener.Dispose();
        await Task.WhenAll(_accepting);
        _stop.Dispose();
    }

    private static EndPoint WithPort(EndPoint server, int port) => server switch
    {
        IPEndPoint { Port: 0 } address => new IPEndPoint(address.Address, port),
        DnsEndPoint { Port: 0 } name => new DnsEndPoint(name.Host, port),
        _ => server,
    };

    private static byte[] Command(params string[] words)
    {
        var text = new StringBuilder($"*{words.Length}\r\n");
        foreach (var word in words) text.Append($"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n");
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private EndPoint Listen(EndPoint server)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        _listeners.Add(listener);
        _accepting.Add(Task.Run(() => AcceptAsync(listener, server)));
        return listener.LocalEndPoint!;
    }

    private async Task AcceptAsync(Socket listener, EndPoint server)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var library = await listener.AcceptAsync(_stop.Token);
                _ = Task.Run(() => ServeAsync(library, server));
            }
            catch (Exception closed) when (closed is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // who wanted to connect is gone again
            }
        }
    }

    // What goes wrong ends the connection: the library notices, says so and tries again.
    private async Task ServeAsync(Socket library, EndPoint server)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        try
        {
            library.NoDelay = true;
            await using var inside = new NetworkStream(library, ownsSocket: true);
            using var soon = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            soon.CancelAfter(SpeaksWithin);
            var said = new byte[_fromLibrary.Length];
            await inside.ReadExactlyAsync(said, soon.Token);
            if (!CryptographicOperations.FixedTimeEquals(said, _fromLibrary)) return;

            await using var outside = await ConnectAsync(server, soon.Token);
            await outside.WriteAsync(_toServer, soon.Token);
            Task[] ways = [inside.CopyToAsync(outside, ended.Token), outside.CopyToAsync(inside, ended.Token)];
            await Task.WhenAny(ways);
            await ended.CancelAsync();
            await Task.WhenAll(ways);
        }
        catch (Exception broken) when (broken is IOException or SocketException or AuthenticationException or OperationCanceledException or ObjectDisposedException)
        {
            await ended.CancelAsync();
        }
    }

    private async Task<Stream> ConnectAsync(EndPoint server, CancellationToken cancel)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(server, cancel);
            var plain = new NetworkStream(socket, ownsSocket: true);
            return _tls is null ? plain : await _tls.SecureAsync(plain, server, cancel);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
