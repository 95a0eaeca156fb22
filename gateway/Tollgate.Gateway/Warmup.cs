using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;

namespace Tollgate.Gateway;

/// <summary>
/// Takes a few dozen calls through a gateway of its own, on ports that nobody knows, before the real one listens: the first caller would otherwise wait
/// a fifth of a second for code to be compiled. Leaves nothing behind, and what goes wrong in it is nobody's concern.
/// </summary>
internal static class Warmup
{
    private const int Calls = 24;    // fewer than make the run time compile hot code again
    private const string Key = "a key for nobody but the first calls";
    private static readonly TimeSpan AtMost = TimeSpan.FromSeconds(2);

    public static async Task RunAsync(TimeProvider time)
    {
        DirectoryInfo? folder = null;
        try
        {
            folder = Directory.CreateTempSubdirectory("tollgate-warm-");
            using var limit = new CancellationTokenSource(AtMost);
            using var service = new TcpListener(IPAddress.Loopback, 0);
            service.Start();
            var serving = ServeAsync(service, limit.Token);
            await using (var gateway = GatewayServer.Create(Options(folder.FullName, ((IPEndPoint)service.LocalEndpoint).Port), NullLoggerFactory.Instance, time, new UnheardMeters()))
            {
                await gateway.StartAsync(limit.Token);
                await CallAsync(new Uri(gateway.Addresses[0]), limit.Token);
            }

            service.Stop();
            await serving;
        }
        catch (Exception unwarmed) when (unwarmed is IOException or SocketException or OperationCanceledException or UnauthorizedAccessException)
        {
            // The first calls are slower, and right all the same.
        }
        finally
        {
            folder?.Delete(recursive: true);
        }
    }

    private static GatewayOptions Options(string folder, int port)
    {
        var config = Path.Combine(folder, "ocelot.json");
        var consumers = Path.Combine(folder, "consumers.json");
        File.WriteAllText(config, $$"""
            { "Routes": [ { "UpstreamPathTemplate": "/{any}", "DownstreamPathTemplate": "/{any}", "DownstreamScheme": "http",
                            "DownstreamHostAndPorts": [ { "Host": "127.0.0.1", "Port": {{port}} } ], "Tollgate": { "Product": "warm" } } ] }
            """);
        File.WriteAllText(consumers, $$"""
            { "plans": [ { "name": "warm", "products": [ "warm" ], "limits": [ { "name": "minute", "calls": 1000000, "window": "60s" } ] } ],
              "applications": [ { "name": "warm", "organisation": "warm", "subscriptions": [ { "plan": "warm" } ], "keys": [ { "key": "{{Key}}" } ] } ] }
            """);
        return new GatewayOptions { Config = config, Urls = "http://127.0.0.1:0", Consumers = consumers, IsWarm = true, Drain = TimeSpan.Zero };
    }

    private static async Task CallAsync(Uri gateway, CancellationToken cancel)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(gateway.Host, gateway.Port, cancel);
        var stream = client.GetStream();
        var call = Encoding.ASCII.GetBytes($"GET /warm?x=1 HTTP/1.1\r\nHost: warm\r\nX-Api-Key: {Key}\r\nAccept: */*\r\n\r\n");
        var answer = new byte[4096];
        for (var i = 0; i < Calls; i++)
        {
            await stream.WriteAsync(call, cancel);
            if (await stream.ReadAsync(answer, cancel) == 0) return;
        }
    }

    private static async Task ServeAsync(TcpListener listener, CancellationToken cancel)
    {
        try
        {
            using var client = await listener.AcceptTcpClientAsync(cancel);
            var stream = client.GetStream();
            var call = new byte[4096];
            while (await stream.ReadAsync(call, cancel) > 0)
                await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"u8.ToArray(), cancel);
        }
        catch (Exception over) when (over is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
        }
    }

    /// <summary>Meters of a name that nobody listens to.</summary>
    private sealed class UnheardMeters : IMeterFactory
    {
        public Meter Create(MeterOptions options) => new("Unheard");

        public void Dispose()
        {
        }
    }
}
