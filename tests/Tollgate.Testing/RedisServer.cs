using System.Net.Sockets;
using System.Text;

namespace Tollgate.Testing;

/// <summary>A real Redis server on a free loopback port, without persistence: stopping it loses what it held, as a fail-over to an empty one would.</summary>
public sealed class RedisServer : IAsyncDisposable
{
    private static readonly Lazy<Task<RedisServer>> SharedServer = new(StartAsync);
    private ChildProcess? _server;

    public int Port { get; } = FreePort.Next();

    public string ConnectionString => $"127.0.0.1:{Port}";

    /// <summary>One for all tests of a run; tests choose keys of their own.</summary>
    public static Task<RedisServer> SharedAsync() => SharedServer.Value;

    public static async Task<RedisServer> StartAsync()
    {
        var redis = new RedisServer();
        await redis.StartServerAsync();
        return redis;
    }

    public async Task StartServerAsync()
    {
        _server = ChildProcess.Start(Programs.Find("redis-server", "redis-server"),
            ["--port", Port.ToString(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", Path.GetTempPath()]);
        await Deadline.UntilAsync($"Redis answers on port {Port}", async () =>
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync("127.0.0.1", Port);
            await socket.GetStream().WriteAsync("PING\r\n"u8.ToArray());
            var answer = new byte[7];
            await socket.GetStream().ReadExactlyAsync(answer);
            return Encoding.ASCII.GetString(answer) == "+PONG\r\n";
        });
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        if (_server is null) return;
        await _server.DisposeAsync();
        _server = null;
    }

    /// <summary>Freezes it: connections stay open and nothing answers (SIGSTOP).</summary>
    public void Freeze() => _server!.Signal(19);

    public void Thaw() => _server!.Signal(18);

    public async ValueTask DisposeAsync() => await KillAsync();
}
