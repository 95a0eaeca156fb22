using StackExchange.Redis;
using Tollgate.ServiceDefaults.Redis;

namespace Tollgate.Gateway.Policy.Limits;

/// <summary>
/// The ledger of a cluster. A server that is gone or no longer answers is noticed once, for all counters, and left alone but for a look every
/// quarter second; meanwhile counters fall back at once.
/// </summary>
internal sealed partial class RedisLedger : ILedger, IAsyncDisposable
{
    private const long SilentAfterUs = 40_000;
    private const int NodeGoneAfterMs = 5000;
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(250);

    private readonly RedisConnection _redis;
    private readonly MonotonicClock _clock = new(TimeProvider.System);    // the server's time is real, whatever the tests' is
    private readonly string _node = Guid.NewGuid().ToString("N");
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _beating;
    private readonly TaskCompletionSource _firstAnswer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _nodes = 1;
    private int _outstanding;
    private long _outstandingSinceUs;
    private long _lastAnswerUs;
    private long _backAtUs;
    private volatile bool _isSilent = true;    // until it has answered for the first time

    public RedisLedger(RedisConnection redis, ILogger<RedisLedger> logger)
    {
        _redis = redis;
        _logger = logger;
        _beating = Task.Run(BeatAsync);
    }

    public bool IsShared => true;
    public int Nodes => Volatile.Read(ref _nodes);

    public bool IsAway => _isSilent || !_redis.IsConnected || HasFallenSilent();

    /// <summary>Completes when Redis has answered for the first time.</summary>
    public Task FirstAnswer => _firstAnswer.Task;

    public async ValueTask<LedgerAnswer> AskWindowAsync(string key, long limit, long windowMs, LedgerAsk ask)
    {
        var numbers = await RunAsync(LedgerScripts.Window, key,
            [limit, windowMs, Window.BucketMs(windowMs), ask.Need, ask.Want, ask.Share, ask.Returned, ask.ReturnedTo, ask.Debt]).ConfigureAwait(false);
        return numbers is not { Length: >= 6 }
            ? new LedgerAnswer(LedgerOutcome.Away)
            : new LedgerAnswer(numbers[0] == 0 ? LedgerOutcome.Granted : LedgerOutcome.Refused, numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]);
    }

    public async ValueTask<LedgerAnswer> AskQuotaAsync(string key, long limit, bool hard, LedgerAsk ask)
    {
        var numbers = await RunAsync(LedgerScripts.Quota, key,
            [limit, hard ? 1 : 0, ask.Need, ask.Want, ask.Share, ask.Returned, ask.Debt]).ConfigureAwait(false);
        return numbers is not { Length: >= 3 }
            ? new LedgerAnswer(LedgerOutcome.Away)
            : new LedgerAnswer(numbers[0] switch { 0 => LedgerOutcome.Granted, 1 => LedgerOutcome.Refused, _ => LedgerOutcome.NeedsBase }, numbers[1], numbers[2]);
    }

    public async ValueTask<bool> SeedQuotaAsync(string key, long units, long lifetimeMs) =>
        await RunAsync(LedgerScripts.Seed, key, [units, lifetimeMs]).ConfigureAwait(false) is { Length: > 0 };

    public void Tidy()
    {
        // Keys expire by themselves.
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _beating;
        _stop.Dispose();
        await _redis.DisposeAsync();
    }

    private async Task<long[]?> RunAsync(RedisScript script, string key, RedisValue[] arguments)
    {
        if (_isSilent || !_redis.IsConnected)
            return null;
        if (Interlocked.Increment(ref _outstanding) == 1)
            Volatile.Write(ref _outstandingSinceUs, _clock.NowUs);
        try
        {
            var answer = await _redis.EvaluateAsync(script, key, arguments, AnswerWithin).ConfigureAwait(false);
            Volatile.Write(ref _lastAnswerUs, _clock.NowUs);
            return answer;
        }
        catch (RedisUnavailableException error)
        {
            FallSilent(error.Message);
            return null;
        }
        finally
        {
            Interlocked.Decrement(ref _outstanding);
        }
    }

    /// <summary>Something is asked, and nothing at all has been answered for as long as a call may wait.</summary>
    private bool HasFallenSilent()
    {
        if (Volatile.Read(ref _outstanding) == 0)
            return false;
        var since = Math.Max(Volatile.Read(ref _lastAnswerUs), Volatile.Read(ref _outstandingSinceUs));
        return _clock.NowUs - since > SilentAfterUs;
    }

    private void FallSilent(string reason)
    {
        if (_isSilent)
            return;
        _isSilent = true;
        Log.Away(_logger, reason);
    }

    private async Task BeatAsync()
    {
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                await BeatOnceAsync();
                var pause = _isSilent ? LookAgain : Heartbeat;
                if (!_redis.IsConnected && !_firstAnswer.Task.IsCompleted)
                    pause = TimeSpan.FromMilliseconds(10);
                await Task.Delay(pause * (0.75 + (Random.Shared.NextDouble() / 2)), _stop.Token);    // nodes do not come back in step
            }
        }
        catch (OperationCanceledException)
        {
            // stopping
        }
    }

    private async Task BeatOnceAsync()
    {
        try
        {
            var answer = await _redis.EvaluateAsync(LedgerScripts.Nodes, "tg:nodes", [_node, NodeGoneAfterMs], AnswerWithin);
            var now = _clock.NowUs;
            if (_isSilent)
                _backAtUs = now;
            // A server that came back empty has yet to hear from the other nodes.
            if (answer[0] > _nodes || now - _backAtUs > NodeGoneAfterMs * 1000L)
                Volatile.Write(ref _nodes, (int)Math.Max(1, answer[0]));
            Volatile.Write(ref _lastAnswerUs, now);
            if (!_isSilent)
                return;
            _isSilent = false;
            Log.Back(_logger, _nodes);
            _firstAnswer.TrySetResult();
        }
        catch (RedisUnavailableException error)
        {
            FallSilent(error.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2361, LogLevel.Warning, "The ledger is away ({Reason}); leases in hand are spent, then each plan's way of doing without it applies")]
        public static partial void Away(ILogger logger, string reason);

        [LoggerMessage(2362, LogLevel.Information, "The ledger answers; {Nodes} nodes share it")]
        public static partial void Back(ILogger logger, int nodes);
    }
}
