using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Quic;
using System.Net.Security;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tollgate.Gateway.Cache;
using Tollgate.Gateway.Consumers;
using Tollgate.Gateway.Explain;
using Tollgate.Gateway.Listening;
using Tollgate.Gateway.Policy;
using Tollgate.Gateway.Policy.Metering;
using Tollgate.Gateway.Transport;
using Yarp.ReverseProxy.Forwarder;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>
/// Kestrel and YARP's forwarder around the policy: every feature works in it. Kestrel is asked directly, without the hosting layer and its middleware:
/// a call goes from the parser to the policy.
/// </summary>
internal sealed class FullEngine : IHttpApplication<Exchange>, IAsyncDisposable
{
    private readonly WebApplication _container;
    private readonly IServer _server;
    private readonly ConcurrentDictionary<int, ForwarderRequestConfig> _requestConfigs = new();
    private readonly ServerCertificates? _certificates;
    private readonly IDisposable? _malformed;
    private readonly string _urls;
    private CallPolicy _policy;

    public FullEngine(
        string urls, ListenerOptions listening, CallPolicy policy, Journal? journal, AnswerCache cache, Explainer explainer, ConsumerTokens consumerTokens,
        GatewayMetrics metrics, TimeProvider time, ILoggerFactory loggers)
    {
        (Explainer, ConsumerTokens) = (explainer, consumerTokens);
        (_urls, _policy) = (urls, policy);
        Journal = journal;
        Consumers = new ConsumerTable(journal);
        Cache = cache;
        Metrics = metrics;
        Time = time;
        Logger = loggers.CreateLogger<FullEngine>();
        Listening = listening;
        Hsts = listening.HstsSeconds > 0 ? $"max-age={listening.HstsSeconds}; includeSubDomains" : null;
        if (listening.Certificates.Count > 0) _certificates = ServerCertificates.Open(listening, loggers.CreateLogger<ServerCertificates>());
        Client = new HttpMessageInvoker(new FlushedBodies(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            UseProxy = false,
            ActivityHeadersPropagator = null,
            EnableMultipleHttp2Connections = true,
            ConnectCallback = UpstreamConnect.By(new SslClientAuthenticationOptions(), serverName: null),
            PlaintextStreamFilter = FirstAnswerStream.Over,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        }));

        // The container alone: it makes Kestrel and the forwarder, and is never started.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.Services.AddHttpForwarder();
        var priorKnowledge = new PriorKnowledge(TimeSpan.FromSeconds(listening.Limits.KeepAliveSeconds));
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => Listeners.Configure(kestrel, urls, listening, _certificates, priorKnowledge));
        if (QuicListener.IsSupported && _certificates is not null) builder.WebHost.UseQuic();
        builder.Services.AddSingleton<IConnectionListenerFactory>(priorKnowledge);
        builder.Services.Configure<SocketTransportOptions>(sockets => sockets.UnsafePreferInlineScheduling = true);
        _container = builder.Build();
        Folders = new StaticFolders(_container.Environment, loggers);
        Forwarder = _container.Services.GetRequiredService<IHttpForwarder>();
        _server = _container.Services.GetRequiredService<IServer>();
        if (_container.Services.GetService<DiagnosticListener>() is { } told) _malformed = MalformedMessages.Answer(told, time);
    }

    public CallPolicy Policy => Volatile.Read(ref _policy);
    public Journal? Journal { get; }
    public ConsumerTable Consumers { get; }
    public ListenerOptions Listening { get; }

    /// <summary><c>Strict-Transport-Security</c>; null = none.</summary>
    public string? Hsts { get; }

    public StaticFolders Folders { get; }
    public AnswerCache Cache { get; }
    public ConsumerTokens ConsumerTokens { get; }
    public Explainer Explainer { get; }
    public GatewayMetrics Metrics { get; }
    public TimeProvider Time { get; }
    public ILogger Logger { get; }
    public HttpMessageInvoker Client { get; }
    public IHttpForwarder Forwarder { get; }

    // Time-outs are the exchange's own (a route's time to the answer's head); a body or socket that is silent for an hour is given up.
    public ForwarderRequestConfig RequestConfig { get; } = new()
    {
        Version = HttpVersion.Version11,
        VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        ActivityTimeout = TimeSpan.FromHours(1),
    };

    /// <summary>The same with another patience for a body or socket that is silent.</summary>
    public ForwarderRequestConfig RequestConfigFor(int activityMs) =>
        _requestConfigs.GetOrAdd(activityMs, static (ms, usual) => usual with { ActivityTimeout = TimeSpan.FromMilliseconds(ms) }, RequestConfig);

    /// <summary>The addresses in use, with the ports that were free.</summary>
    public IReadOnlyList<string> Addresses => [.. _server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Where(Listeners.IsPublic)];

    /// <summary>Puts another configuration in force; calls under way end on the one they began with.</summary>
    public void Use(CallPolicy policy) => Volatile.Write(ref _policy, policy);

    /// <exception cref="IOException">An address cannot be listened on.</exception>
    public async Task StartAsync(CancellationToken cancel)
    {
        try
        {
            await _server.StartAsync(this, cancel);
        }
        catch (SocketException impossible)
        {
            throw new IOException($"--urls {_urls}: this machine cannot listen there ({impossible.Message}).", impossible);
        }
    }

    /// <summary>Stops accepting and waits for the calls under way until <paramref name="cancel"/>.</summary>
    public Task StopAsync(CancellationToken cancel) => _server.StopAsync(cancel);

    public Exchange CreateContext(IFeatureCollection features)
    {
        Exchange exchange;
        if (features is IHostContextContainer<Exchange> container) exchange = container.HostContext ??= new Exchange(this);
        else exchange = new Exchange(this);
        exchange.Begin(features);
        return exchange;
    }

    public Task ProcessRequestAsync(Exchange exchange) => exchange.RunAsync();

    public void DisposeContext(Exchange exchange, Exception? exception) => exchange.End();

    public async ValueTask DisposeAsync()
    {
        _malformed?.Dispose();
        await _container.DisposeAsync();
        if (_certificates is not null) await _certificates.DisposeAsync();
        Client.Dispose();
    }
}

internal static partial class FullEngineLog
{
    [LoggerMessage(1101, LogLevel.Debug, "A call of route {Route} was not answered by its upstream: {Error} {Reason} ({RequestId})")]
    public static partial void UpstreamFailed(ILogger logger, string route, ForwarderError error, string reason, string requestId);

    [LoggerMessage(1103, LogLevel.Warning, "An answer of route {Route} does not follow its schema at '{Pointer}' and was not sent on: {Detail} ({RequestId})")]
    public static partial void AnswerViolates(ILogger logger, string route, string pointer, string detail, string requestId);

    [LoggerMessage(1102, LogLevel.Error, "A call failed inside the gateway ({RequestId})")]
    public static partial void Failed(ILogger logger, Exception mistake, string requestId);

    [LoggerMessage(1104, LogLevel.Warning, "An answer of the aggregate {Route} asks for more than {Most} calls, and was refused")]
    public static partial void TooManyMemberCalls(ILogger logger, string route, int most);
}
