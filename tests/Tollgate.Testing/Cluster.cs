using Tollgate.ServiceDefaults.Internal;

namespace Tollgate.Testing;

/// <summary>
/// The cluster shape as real processes: PostgreSQL, Redis, a control plane and gateways in front of one upstream, each of which can be taken away.
/// Without PostgreSQL and Redis it is the small shape: SQLite, and limits of each gateway's own.
/// </summary>
public sealed class Cluster : IAsyncDisposable
{
    private readonly TempFolder _routes = new();
    private readonly List<GatewayProcess> _gateways = [];

    private Cluster(StubUpstream upstream) => Upstream = upstream;

    public StubUpstream Upstream { get; }
    public PostgresServer? Postgres { get; private set; }
    public RedisServer? Redis { get; private set; }
    public HostProcess ControlPlane { get; private set; } = null!;
    public IReadOnlyList<GatewayProcess> Gateways => _gateways;

    /// <param name="ownServers">Servers of its own that a test may stop; otherwise those that all tests share.</param>
    /// <param name="gatewayOptions">Further options of each gateway.</param>
    public static async Task<Cluster> StartAsync(int gateways = 2, bool shared = true, bool ownServers = false, params string[] gatewayOptions)
    {
        var cluster = new Cluster(await StubUpstream.StartAsync()) { _gatewayOptions = gatewayOptions };
        try
        {
            await cluster.StartPartsAsync(gateways, shared, ownServers);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Someone who has signed up.</summary>
    public async Task<PortalPerson> JoinAsync()
    {
        var person = new PortalPerson(ControlPlane.PortalUrl, ControlPlane.Data.Path);
        await person.JoinAsync();
        return person;
    }

    /// <summary>The platform admin, signed in.</summary>
    public async Task<PortalPerson> AdminAsync()
    {
        var admin = new PortalPerson(ControlPlane.PortalUrl, ControlPlane.Data.Path);
        await admin.SignInAsync(HostProcess.AdminEmail, HostProcess.AdminPassword);
        return admin;
    }

    /// <summary>Adds a plan to the demo product: one rate limit, no quota, and a price for each call.</summary>
    public async Task AddPlanAsync(string name, long units, int windowMs, decimal unitPrice = 0.01m, string onLedgerLoss = "fair-share")
    {
        using var admin = await AdminAsync();
        await admin.PostAsync("/admin/products/weather/plans", new { name, title = name });
        await admin.PostAsync($"/admin/products/weather/plans/{name}/versions", new
        {
            currency = "EUR",
            prices = new object[] { new { kind = "graduated", tiers = new[] { new { upTo = (decimal?)null, unitPrice } }, meter = "requests" } },
            limits = new[] { new { name = "window", units, windowMs } },
            quotas = Array.Empty<object>(),
            onLedgerLoss,
        });
    }

    /// <summary>Waits until every gateway admits the key.</summary>
    public async Task UntilKnownAsync(string key, string path = "/weather/v1/current")
    {
        foreach (var gateway in _gateways)
            await Deadline.UntilAsync("the gateway knows the key", async () =>
            {
                using var answer = await gateway.CallAsync(path, key);
                return answer.StatusCode is System.Net.HttpStatusCode.OK or System.Net.HttpStatusCode.TooManyRequests;
            });
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var gateway in _gateways) await gateway.DisposeAsync();
        if (ControlPlane is not null) await ControlPlane.DisposeAsync();
        if (_ownServers)
        {
            if (Postgres is not null) await Postgres.DisposeAsync();
            if (Redis is not null) await Redis.DisposeAsync();
        }

        await Upstream.DisposeAsync();
        _routes.Dispose();
    }

    private bool _ownServers;
    private string[] _gatewayOptions = [];

    private async Task StartPartsAsync(int gateways, bool shared, bool ownServers)
    {
        _ownServers = ownServers;
        if (shared) Postgres = ownServers ? await PostgresServer.StartAsync() : await PostgresServer.SharedAsync();
        if (shared) Redis = ownServers ? await RedisServer.StartAsync() : await RedisServer.SharedAsync();
        var token = GatewayToken.New();
        ControlPlane = await HostProcess.StartControlPlaneAsync(Postgres is null ? null : await Postgres.NewDatabaseAsync(), token);
        var routes = _routes.Write("ocelot.json", $$"""
            {
              "Routes": [
                {
                  "Key": "weather",
                  "UpstreamPathTemplate": "/weather/v1/{everything}", "DownstreamPathTemplate": "/v1/{everything}", "DownstreamScheme": "http",
                  "DownstreamHostAndPorts": [ { "Host": "127.0.0.1", "Port": {{Upstream.Port}} } ],
                  "Tollgate": { "Product": "weather" }
                }
              ]
            }
            """);
        string[] redis = Redis is null ? [] : [$"--ConnectionStrings:Redis={Redis.ConnectionString}"];
        for (var i = 0; i < gateways; i++)
            _gateways.Add(await GatewayProcess.StartAsync(routes, [$"--Gateway:ControlPlane={ControlPlane.InternalUrl}", $"--Gateway:Token={token}", .. redis, .. _gatewayOptions]));
    }
}
