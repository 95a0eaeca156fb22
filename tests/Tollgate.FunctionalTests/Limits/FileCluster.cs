using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Limits;

/// <summary>Gateways as real processes on a routes file and a consumers file, sharing limits through a Redis of their own: as somebody who only has the executable would run them.</summary>
internal sealed class FileCluster : IAsyncDisposable
{
    private const string Internal = "Internal on ";

    private readonly TempFolder _folder = new();
    private readonly StubUpstream _upstream;
    private readonly List<GatewayProcess> _gateways = [];
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseCookies = false, UseProxy = false, MaxConnectionsPerServer = 64 }) { Timeout = Timeout.InfiniteTimeSpan };

    private FileCluster(StubUpstream upstream, RedisServer redis) => (_upstream, Redis) = (upstream, redis);

    private int _arrived;

    /// <summary>Calls that the upstream has seen: what was admitted, also where the caller never heard of it.</summary>
    public int Arrived => Volatile.Read(ref _arrived);

    public RedisServer Redis { get; }
    public IReadOnlyList<GatewayProcess> Gateways => _gateways;

    /// <param name="plans">The file's plans, each for the product <c>api</c>.</param>
    /// <param name="keys">Key → plan; each key has an application of its own, called like the key.</param>
    public static async Task<FileCluster> StartAsync(int nodes, string plans, params (string Key, string Plan)[] keys)
    {
        FileCluster? cluster = null;
        cluster = new FileCluster(await StubUpstream.StartAsync(http =>
        {
            Interlocked.Increment(ref cluster!._arrived);
            http.Response.ContentLength = 0;
            return Task.CompletedTask;
        }, remembers: false), await RedisServer.StartAsync());
        try
        {
            var config = cluster._folder.Write("ocelot.json", $$"""
                { "Routes": [
                  { "Key": "api", "UpstreamPathTemplate": "/api/{rest}", "DownstreamPathTemplate": "/{rest}", "DownstreamScheme": "http",
                    "DownstreamHostAndPorts": [ { "Host": "127.0.0.1", "Port": {{cluster._upstream.Port}} } ], "Tollgate": { "Product": "api" } },
                  { "Key": "heavy", "UpstreamPathTemplate": "/heavy", "DownstreamPathTemplate": "/", "DownstreamScheme": "http",
                    "DownstreamHostAndPorts": [ { "Host": "127.0.0.1", "Port": {{cluster._upstream.Port}} } ], "Tollgate": { "Product": "api", "Units": 7 } } ] }
                """);
            var applications = keys.Select(key => $$"""{ "name": "{{key.Key}}", "subscriptions": [ { "plan": "{{key.Plan}}" } ], "keys": [ { "key": "{{key.Key}}" } ] }""");
            var consumers = cluster._folder.Write("consumers.json", $$"""{ "plans": [ {{plans}} ], "applications": [ {{string.Join(",\n", applications)}} ] }""");
            cluster._gateways.AddRange(await Task.WhenAll(Enumerable.Range(0, nodes).Select(_ =>
                GatewayProcess.StartAsync(config, "--consumers", consumers, "--internal", "http://127.0.0.1:0", $"--ConnectionStrings:Redis={cluster.Redis.ConnectionString}"))));
            await cluster.UntilNodesKnowEachOtherAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>One call: its status and its <c>Retry-After</c>.</summary>
    public async Task<Answer> CallAsync(int node, string key, string path = "/api/x")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _gateways[node].Url + path);
        request.Headers.Add("X-Api-Key", key);
        var started = Stopwatch.GetTimestamp();
        try
        {
            using var answer = await _client.SendAsync(request);
            await answer.Content.ReadAsByteArrayAsync();
            return new Answer((int)answer.StatusCode, answer.Headers.RetryAfter?.Delta, answer.Headers.TryGetValues("RateLimit", out var standing) ? standing.Single() : "", Stopwatch.GetElapsedTime(started));
        }
        catch (HttpRequestException)
        {
            return new Answer(0, null, "");    // the gateway was killed
        }
    }

    /// <summary>70, 20, 8 and 2 of a hundred calls.</summary>
    public int Skewed(Random random) => random.Next(100) switch { < 70 => 0, < 90 => 1 % _gateways.Count, < 98 => 2 % _gateways.Count, _ => 3 % _gateways.Count };

    /// <summary>Commands that the server has carried out, those within scripts too, and scripts alone.</summary>
    public async Task<(long Commands, long Scripts)> RedisOperationsAsync()
    {
        var info = await RedisAsync("INFO commandstats") + await RedisAsync("INFO stats");
        long Number(string line, string after) => long.Parse(line.Split(after)[1].Split(',')[0].Trim());
        var lines = info.Split('\n');
        return (lines.Where(line => line.StartsWith("total_commands_processed:")).Sum(line => Number(line, ":")),
            lines.Where(line => line.StartsWith("cmdstat_eval")).Sum(line => Number(line, "calls=")));
    }

    public async Task<string> RedisAsync(string command)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", Redis.Port);
        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(command + "\r\nQUIT\r\n"));
        return await new StreamReader(socket.GetStream()).ReadToEndAsync();
    }

    /// <summary>Units that the gateways' journals hold, as their own command sums them up.</summary>
    public async Task<long> MeteredAsync()
    {
        var sums = await Task.WhenAll(_gateways.Select(async gateway =>
        {
            await using var journal = ChildProcess.StartDotnet(Programs.Gateway, ["journal", gateway.Data.Path, "--sum"]);
            (await journal.WaitForExitAsync()).ShouldBe(0, journal.Output);
            return journal.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Sum(line => JsonDocument.Parse(line).RootElement.GetProperty("units").GetInt64());
        }));
        return sums.Sum();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var gateway in _gateways) await gateway.DisposeAsync();
        _client.Dispose();
        await Redis.DisposeAsync();
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>Every gateway says so itself: who is known to Redis is heard of by the others with their next heartbeat.</summary>
    private async Task UntilNodesKnowEachOtherAsync()
    {
        foreach (var gateway in _gateways)
        {
            var line = await gateway.Process.WaitForLineAsync(line => line.StartsWith(Internal, StringComparison.Ordinal));
            var limits = new Uri(new Uri(line[Internal.Length..].Split(' ')[0]), "/limits");
            await Deadline.UntilAsync("the gateway knows all others", async () =>
                (await _client.GetFromJsonAsync<JsonElement>(limits)).GetProperty("nodes").GetInt32() == _gateways.Count);
        }
    }
}

internal sealed record Answer(int Status, TimeSpan? RetryAfter, string Standing, TimeSpan Took = default)
{
    /// <summary>
    /// Refused after the time for which a call waits for its ledger: the machine was too busy for an answer to come back, and nothing is said of the limit.
    /// </summary>
    public bool WasLate => Status == (int)HttpStatusCode.TooManyRequests && Took > TimeSpan.FromMilliseconds(400);

    public bool IsAdmitted => Status == (int)HttpStatusCode.OK;
}
