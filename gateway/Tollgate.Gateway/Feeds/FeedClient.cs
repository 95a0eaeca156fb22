using System.Net;
using System.Net.Http.Headers;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;

namespace Tollgate.Gateway.Feeds;

/// <summary>
/// Follows one feed of the control plane by long polls, keeps its table up to date and its last good state on disk. Whatever goes wrong, what is in force stays in force.
/// </summary>
internal sealed partial class FeedClient : IAsyncDisposable
{
    private const int LongestWaitSeconds = 30;
    private static readonly TimeSpan HeadersLater = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MoreWithin = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan EmptyFeedPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan SnapshotRetry = TimeSpan.FromMinutes(1);

    private readonly string _name;
    private readonly HttpClient _http;
    private readonly IFeedTarget _target;
    private readonly FeedStore? _store;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Task _controlPlaneUp;
    private readonly Freshness? _freshness;
    private readonly int _longestWaitSeconds = LongestWaitSeconds;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _inForce = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _tried = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _loop = Task.CompletedTask;
    private FeedPosition _position = FeedPosition.Start;
    private long _lastAnswerAt;
    private long _snapshotAskedAt = long.MinValue;
    private int _failures;
    private bool _saidRefused;
    private bool _restart;
    private string? _lastFailure;

    /// <param name="http">Its base address is the control plane's internal port; it presents the gateway token.</param>
    /// <param name="dataFolder">Null = nothing is kept.</param>
    /// <param name="freshness">Told of every answer; decides how often there must be one.</param>
    /// <param name="controlPlaneUp">Not asked before this completes; null = at once.</param>
    public FeedClient(
        string name, HttpClient http, IFeedTarget target, string? dataFolder, TimeProvider time, ILogger<FeedClient> logger, Task? controlPlaneUp = null,
        Freshness? freshness = null)
    {
        _freshness = freshness;
        if (freshness is not null) _longestWaitSeconds = (int)Math.Clamp(freshness.MaxAge.TotalSeconds / 3, 1, LongestWaitSeconds);
        (_name, _http, _target, _time, _logger) = (name, http, target, time, logger);
        _controlPlaneUp = controlPlaneUp ?? Task.CompletedTask;
        _store = dataFolder is null ? null : new FeedStore(dataFolder, name, logger);
        _lastAnswerAt = time.GetTimestamp();
    }

    /// <summary>A client for both feeds, with the gateway token. Waits are bounded by the feed client itself.</summary>
    public static HttpClient CreateHttp(Uri controlPlane, string? token)
    {
        var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(2),
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            AllowAutoRedirect = false,
            UseProxy = false,
        })
        {
            BaseAddress = controlPlane,
            Timeout = Timeout.InfiniteTimeSpan,
        };
        if (token is not null)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return http;
    }

    /// <summary>Completes once a state is in force, from the disk or from the control plane.</summary>
    public Task InForce => _inForce.Task;

    /// <summary>Completes once the control plane has been asked, whatever came of it.</summary>
    public Task Tried => _tried.Task;

    public FeedFacts Facts()
    {
        var position = Position;
        return new FeedFacts(_name, position.Version, position.Epoch, _inForce.Task.IsCompleted,
            Math.Round(_time.GetElapsedTime(Volatile.Read(ref _lastAnswerAt)).TotalSeconds, 1), Volatile.Read(ref _failures), Volatile.Read(ref _lastFailure));
    }

    /// <summary>Puts in force what is on disk, then follows the feed until disposed.</summary>
    public async Task StartAsync(CancellationToken cancel)
    {
        if (_store is not null)
        {
            var loaded = await _store.LoadAsync(_target, cancel);
            if (loaded != FeedPosition.Start)
            {
                Position = loaded;
                Log.FromDisk(_logger, _name, loaded.Version);
                _inForce.TrySetResult();
            }
        }
        _loop = Task.Run(FollowAsync, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    private FeedPosition Position
    {
        get { lock (_inForce) return _position; }
        set { lock (_inForce) _position = value; }
    }

    private async Task FollowAsync()
    {
        var stop = _stop.Token;
        await _controlPlaneUp.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await PollAsync(stop);
                _tried.TrySetResult();
                if (Position.Version == 0)
                    await Task.Delay(EmptyFeedPause, _time, stop);    // version 0 always answers at once
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                _tried.TrySetResult();
                await PauseAfterAsync(error, stop);
            }
        }
    }

    private async Task PauseAfterAsync(Exception error, CancellationToken stop)
    {
        var failures = Interlocked.Increment(ref _failures);
        var reason = error is OperationCanceledException ? "no answer in time" : error.Message;
        Volatile.Write(ref _lastFailure, reason);
        var isRefused = error is HttpRequestException { StatusCode: HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden };
        if (isRefused && !_saidRefused)
            Log.TokenRefused(_logger, _name);    // also when it was away before: it will not get better by itself
        else if (!isRefused && failures == 1)
            Log.Away(_logger, _name, reason);
        _saidRefused |= isRefused;
        var longestMs = Math.Min(5000, 50 << Math.Min(failures, 10));
        try
        {
            await Task.Delay(TimeSpan.FromMilliseconds(longestMs * (0.5 + (Random.Shared.NextDouble() / 2))), _time, stop);
        }
        catch (OperationCanceledException)
        {
            // stopping
        }
    }

    private async Task PollAsync(CancellationToken stop)
    {
        var position = AskFrom();
        var waitSeconds = _tried.Task.IsCompleted ? _longestWaitSeconds : 0;
        var epoch = position.Epoch is null ? "" : $"&epoch={Uri.EscapeDataString(position.Epoch)}";
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(stop);
        timeout.CancelAfter(TimeSpan.FromSeconds(waitSeconds) + HeadersLater);
        using var answer = await _http.GetAsync($"{InternalPaths.Feeds}/{_name}?after={position.Version}{epoch}&wait={waitSeconds}", HttpCompletionOption.ResponseHeadersRead, timeout.Token);
        if (answer.StatusCode != HttpStatusCode.OK)
            throw new HttpRequestException($"The control plane answered {(int)answer.StatusCode}.", null, answer.StatusCode);

        await using var body = await answer.Content.ReadAsStreamAsync(timeout.Token);
        using var taking = new Answer(_name, position, _target, _store);
        await FeedLines.ReadAsync(body, taking.Take, () => timeout.CancelAfter(MoreWithin), timeout.Token);
        if (taking.IsBehind(out var behind))
        {
            _restart = true;    // the control plane's database is an older one: everything is read anew, and what is known stays in force until then
            throw new FeedException(behind);
        }

        Position = taking.Commit();
        _restart = false;

        Volatile.Write(ref _lastAnswerAt, _time.GetTimestamp());
        _freshness?.Hear();
        if (Interlocked.Exchange(ref _failures, 0) > 0)
            Log.Back(_logger, _name);
        _saidRefused = false;
        Volatile.Write(ref _lastFailure, null);
        if (taking.Items > 0 || !_inForce.Task.IsCompleted)
            Log.Live(_logger, _name, Position.Version, taking.Items);
        _inForce.TrySetResult();
    }

    private FeedPosition AskFrom()
    {
        if (_restart) return FeedPosition.Start;
        if (_store is not { WantsSnapshot: true } || Position == FeedPosition.Start)
            return Position;
        if (_snapshotAskedAt != long.MinValue && _time.GetElapsedTime(_snapshotAskedAt) < SnapshotRetry)
            return Position;
        _snapshotAskedAt = _time.GetTimestamp();
        return FeedPosition.Start;
    }

    /// <summary>An answer while it comes in. It takes force whole, after its end has been read, or not at all.</summary>
    private sealed class Answer(string name, FeedPosition position, IFeedTarget target, FeedStore? store) : IDisposable
    {
        private IFeedChanges? _changes;
        private FeedStore.Block? _block;
        private FeedBegin? _begin;
        private FeedEnd? _end;

        public int Items { get; private set; }

        public void Take(ReadOnlySpan<byte> line)
        {
            var parsed = FeedLineParser.Parse(line);
            if (_end is not null && parsed is not null)
                throw new FeedException("The answer goes on after its end.");
            switch (parsed)
            {
                case FeedBegin begin:
                    Begin(begin);
                    break;
                case FeedEnd end:
                    _end = end;
                    break;
                case FeedItem item:
                    (_changes ?? throw new FeedException("The answer does not begin with its beginning.")).Add(item);
                    Items++;
                    break;
                default:
                    return;
            }
            _block?.Write(line);
        }

        /// <summary>Whether it ends before the version that we have.</summary>
        public bool IsBehind(out string reason)
        {
            reason = $"The feed went back from version {position.Version} to {_end?.Version}.";
            return _begin is { Snapshot: false } && _end?.Version < position.Version;
        }

        public FeedPosition Commit()
        {
            if (_begin is null || _end is null)
                throw new FeedException("The answer was cut off.");
            _changes!.Commit();
            if (_begin.Snapshot || Items > 0)
                _block?.Complete();
            return new FeedPosition(_begin.Epoch, _end.Version);
        }

        public void Dispose() => _block?.Dispose();

        private void Begin(FeedBegin begin)
        {
            if (_begin is not null || begin.Feed != name)
                throw new FeedException($"The answer is not of the feed \"{name}\".");
            if (!begin.Snapshot && begin.Epoch != position.Epoch)
                throw new FeedException("The changes are of another history than ours.");
            _begin = begin;
            _changes = target.Begin(begin.Snapshot);
            _block = store?.Begin(begin.Snapshot);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2331, LogLevel.Information, "The feed {Feed} starts from disk at version {Version}")]
        public static partial void FromDisk(ILogger logger, string feed, long version);

        [LoggerMessage(2332, LogLevel.Debug, "The feed {Feed} is live at version {Version} after {Items} items")]
        public static partial void Live(ILogger logger, string feed, long version, int items);

        [LoggerMessage(2333, LogLevel.Warning, "The feed {Feed} cannot be followed ({Reason}); what was last known stays in force, and it is tried again")]
        public static partial void Away(ILogger logger, string feed, string reason);

        [LoggerMessage(2334, LogLevel.Error, "The control plane refuses this gateway's token for the feed {Feed}; what was last known stays in force. Give the gateway a valid token")]
        public static partial void TokenRefused(ILogger logger, string feed);

        [LoggerMessage(2335, LogLevel.Information, "The feed {Feed} is followed again")]
        public static partial void Back(ILogger logger, string feed);
    }
}

/// <summary>For <c>/health</c> and metrics.</summary>
/// <param name="AgeSeconds">Since the control plane's last answer; up to 30 while nothing changes.</param>
internal sealed record FeedFacts(string Name, long Version, string? Epoch, bool InForce, double AgeSeconds, int Failures, string? LastFailure);
