using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Feeds;

namespace Tollgate.Gateway.Fragments;

/// <summary>Follows what the services publish at the control plane; from the disk while that is away.</summary>
internal sealed class FragmentFeed : IAsyncDisposable
{
    private static readonly TimeSpan FreshStateWithin = TimeSpan.FromSeconds(2);

    private readonly HttpClient _http;
    private readonly FeedClient _feed;
    private readonly Task _controlPlaneUp;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private FragmentReporter? _reporter;

    private FragmentFeed(GatewayOptions options, Uri controlPlane, Action<IReadOnlyList<FragmentItem>> changed, IFeedOrders orders, TimeProvider time, ILoggerFactory loggers)
    {
        (_time, _loggers) = (time, loggers);
        _controlPlaneUp = options.ControlPlaneUp;
        _http = FeedClient.CreateHttp(controlPlane, options.Token);
        _feed = new FeedClient(FeedNames.Routes, _http, new FragmentTable(changed, orders), options.Data, time, loggers.CreateLogger<FeedClient>(), _controlPlaneUp);
    }

    /// <summary>Null without a control plane.</summary>
    public static FragmentFeed? Create(GatewayOptions options, Action<IReadOnlyList<FragmentItem>> changed, IFeedOrders orders, TimeProvider time, ILoggerFactory loggers) =>
        options.ControlPlane is { } controlPlane ? new FragmentFeed(options, controlPlane, changed, orders, time, loggers) : null;

    /// <summary>Has the control plane told how the fragments stand here.</summary>
    /// <param name="gateway">What the gateway calls itself.</param>
    public FragmentReporter ReportAs(string gateway, Func<IReadOnlyList<FragmentFacts>> facts) =>
        _reporter = new FragmentReporter(gateway, _http, facts, _loggers.CreateLogger<FragmentReporter>());

    public FeedFacts Facts() => _feed.Facts();

    /// <summary>Returns with what is on disk in force, and with what is new if the control plane says so soon.</summary>
    public async Task StartAsync(CancellationToken cancel)
    {
        await _feed.StartAsync(cancel);
        _reporter?.Start(_feed.InForce);
        if (!_controlPlaneUp.IsCompleted) return;
        try
        {
            await _feed.Tried.WaitAsync(FreshStateWithin, _time, cancel);
        }
        catch (TimeoutException)
        {
            // It goes on asking.
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_reporter is not null) await _reporter.DisposeAsync();
        await _feed.DisposeAsync();
        _http.Dispose();
    }
}
