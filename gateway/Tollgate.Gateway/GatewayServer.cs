using System.Diagnostics.Metrics;
using Tollgate.Contracts.Fragments;
using Tollgate.Gateway.Balancing;
using Tollgate.Gateway.Bodies;
using Tollgate.Gateway.Cache;
using Tollgate.Gateway.Admin;
using Tollgate.Gateway.Consumers;
using Tollgate.Gateway.Engines.Full;
using Tollgate.Gateway.Explain;
using Tollgate.Gateway.Fragments;
using Tollgate.Gateway.Metering;
using Tollgate.Gateway.Plugins;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Credentials;
using Tollgate.Gateway.Policy.Metering;
using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.Gateway;

/// <summary>
/// A whole gateway: the executable starts one, and so does the all-in-one host inside its process. It listens once its configuration is in force.
/// </summary>
public sealed class GatewayServer : IAsyncDisposable
{
    private readonly GatewayOptions _options;
    private readonly ILoggerFactory _loggers;
    private readonly TimeProvider _time;
    private readonly GatewayMetrics _metrics;
    private readonly ServiceProvider _services;
    private readonly Journal? _journal;
    private readonly ConsumerDirectory _consumers;
    private readonly TokenTable _tokens = new();
    private readonly ProofGuard _proofs;
    private readonly AnswerCache _cache;
    private readonly CallLog _calls;
    private readonly Explainer _explainer;
    private readonly ConsumerKeys _consumerKeys;
    private readonly ConsumerTokens _consumerTokens;
    private readonly LiveConfiguration _configuration;
    private readonly FragmentFeed? _fragments;
    private FullEngine? _engine;
    private CallPolicy? _policy;
    private volatile bool _isReady;
    private bool _stopped;

    private GatewayServer(GatewayOptions options, ILoggerFactory loggers, TimeProvider time, IMeterFactory? meters)
    {
        (_options, _loggers, _time) = (options, loggers, time);
        _metrics = new GatewayMetrics(meters);
        var services = new ServiceCollection();
        services.AddSingleton(loggers);
        services.AddSingleton(time);
        _journal = services.AddMetering(options, loggers, time);
        _services = services.BuildServiceProvider();
        var documents = new ProductDocuments(loggers.CreateLogger<ProductDocuments>());
        _consumers = ConsumerDirectory.Create(options, _journal, loggers, time, documents);
        _proofs = new ProofGuard(new ProofMemory(), _consumers.IsNewEverywhere);
        var node = _journal?.NodeId ?? (options.Data is null ? $"gw-{Environment.ProcessId}" : NodeId.LoadOrCreate(options.Data));
        _calls = new CallLog(options.Data is null ? null : Path.Combine(options.Data, "calls"), options.ExplainBytes, options.ExplainFor, time, loggers.CreateLogger<CallLog>());
        _explainer = new Explainer(node, _calls, _consumers.Credentials, _consumers.Entitlements, _consumers.Freshness, time);
        _consumers.Explainer = _explainer;
        _consumerKeys = new ConsumerKeys(
            options.ConsumerKeys ?? (options.Data is null ? null : Path.Combine(options.Data, "consumer-keys")), options.ConsumerKeyLife, time, loggers.CreateLogger<ConsumerKeys>());
        _consumerTokens = new ConsumerTokens(_consumerKeys, options.ConsumerIssuer);
        _metrics.Observe(_consumers.Credentials, _calls);
        _cache = new AnswerCache(options.CacheMaxBytes);
        _configuration = new LiveConfiguration(options, PluginLoader.Load(options.Plugins, new PluginBudget(options.PluginBudgetMs, time, _metrics, loggers.CreateLogger<PluginBudget>())), documents, PutInForce, time, loggers, _metrics);
        _fragments = FragmentFeed.Create(options, _configuration.Use, new FeedOrders(_cache, _configuration.Upstreams, loggers.CreateLogger<FeedOrders>()), time, loggers);
        if (_fragments is not null) _configuration.Joined = _fragments.ReportAs(node, () => _configuration.Fragments).Tell;
    }

    /// <summary>Makes a gateway that does not listen yet. Opens its journal: a gateway that cannot keep its usage does not start.</summary>
    public static GatewayServer Create(GatewayOptions options, ILoggerFactory loggers, TimeProvider? time = null, IMeterFactory? meters = null) =>
        new(options, loggers, time ?? TimeProvider.System, meters);

    /// <summary>Where it listens, with the ports that were free; empty before the start.</summary>
    public IReadOnlyList<string> Addresses => _engine?.Addresses ?? [];

    /// <summary>
    /// Puts configuration, credentials and plans in force, then listens. Throws a <see cref="Ocelot.ConfigurationException"/>, before anything listens,
    /// when the configuration cannot be used.
    /// </summary>
    public async Task StartAsync(CancellationToken cancel)
    {
        var warming = _options.IsWarm ? Task.CompletedTask : Task.Run(() => Warmup.RunAsync(_time), cancel);
        try
        {
            if (_fragments is not null) await _fragments.StartAsync(cancel);
            _configuration.Start();
            await _consumers.StartAsync(cancel);
            foreach (var service in _services.GetServices<IHostedService>()) await service.StartAsync(cancel);
            _engine = new FullEngine(_options.Urls, _options.Listening, _policy!, _journal, _cache, _explainer, _consumerTokens, _metrics, _time, _loggers);
        }
        finally
        {
            await warming;    // a start that is refused leaves nothing behind either
        }

        await _engine.StartAsync(cancel);
        _isReady = true;
    }

    /// <summary>Stops accepting, lets calls under way end, sends what usage it can and seals the journal.</summary>
    public async Task StopAsync(CancellationToken cancel)
    {
        if (_stopped) return;
        _stopped = true;
        _isReady = false;
        if (_engine is not null)
        {
            using var drain = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            drain.CancelAfter(_options.Drain);
            await _engine.StopAsync(drain.Token);
        }

        foreach (var service in _services.GetServices<IHostedService>().Reverse()) await service.StopAsync(cancel);
    }

    /// <summary>What a service's fragment comes to beside the gateway's own files: it may name a token provider that they do not have.</summary>
    public FragmentReading ReadFragment(string service, string content) => _configuration.Read(service, content);

    /// <summary>What the gateway's own files claim: no service may publish routes there.</summary>
    public IReadOnlyList<(string File, PathClaim Claim)> FileClaims => _configuration.FileClaims;

    /// <summary>Maps <c>/health/live</c>, <c>/health/ready</c>, <c>/health</c>, <c>/destinations</c> and the clearing of kept answers. For the internal port only.</summary>
    public void MapInternal(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/health/live", () => Results.Text("live"));
        endpoints.MapGet("/health/ready", () => _isReady && _consumers.IsReady ? Results.Text("ready") : Results.Text("not ready", statusCode: StatusCodes.Status503ServiceUnavailable));
        DestinationEndpoints.Map(endpoints, _configuration.Upstreams, _options.Token);
        endpoints.MapGet(ConsumerTokens.JwksPath, () => Results.Bytes(_consumerTokens.JwksDocument, "application/jwk-set+json"));
        endpoints.MapLimits(_consumers.Limits, _consumers.Entitlements, _options.Token, _loggers.CreateLogger("Tollgate.Gateway.Limits"));
        endpoints.MapExplain(_explainer, _options.Token);
        endpoints.MapGet("/health", () => Results.Json(Health(), statusCode: _isReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable));
        endpoints.MapCache(_cache, _options.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None);
        if (_fragments is not null) await _fragments.DisposeAsync();
        await _configuration.DisposeAsync();
        if (_engine is not null) await _engine.DisposeAsync();
        await _consumers.DisposeAsync();
        _calls.Dispose();
        _consumerKeys.Dispose();
        await _services.DisposeAsync();
        _metrics.Dispose();
    }

    private void PutInForce(RouteTable routes)
    {
        var policy = new CallPolicy(routes, _consumers.Credentials, _consumers.Entitlements, _consumers.Limits, _tokens, _consumers.Freshness, _consumers.Use, _proofs, _options.Listening.Limits.MaxBodyBytes)
        {
            Version = _configuration.Version + 1,
        };
        _policy = policy;
        _engine?.Use(policy);
    }

    private object Health() => new
    {
        status = _isReady ? "ready" : "not ready",
        configuration = new { version = _configuration.Version, routes = _configuration.Routes, errors = _configuration.Errors.Select(error => error.ToString()) },
        fragments = _fragments is null ? null : new { feed = _fragments.Facts(), services = _configuration.Fragments },
        consumers = _consumers.Facts(),
        journal = _journal?.Facts(),
    };
}
