using StackExchange.Redis;
using Tollgate.ServiceDefaults.Redis;

namespace Tollgate.Gateway.Policy.Limits;

/// <summary>
/// The ledger of a cluster. A server that is gone or no longer answers is noticed once, for all counters, and left alone but for a look every
/// quarter second; meanwhile counters fall back at once. One that comes back as another run of itself may have forgotten everything, or some of it:
/// its windows begin empty under a name of their own, and it grants nothing until the nodes that were known have told it what they had spent.
/// </summary>
internal sealed partial class RedisLedger : ILedger, IAsyncDisposable
{
    /// <summary>Long: a node that is only busy must not be counted out, or the others' shares would grow beyond the limit.</summary>
    private const int NodeGoneAfterMs = 15_000;

    /// <summary>Looks without any answer after which the server counts as away. Looks and answers wait in the same queue of work: a busy machine is no silent server.</summary>
    private const int SilentAfterLooks = 20;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan FirstHeartbeats = TimeSpan.FromSeconds(1);
    private const int BeatsUntilSettled = 10;
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan OpensSoon = TimeSpan.FromMilliseconds(100);

    private readonly RedisConnection _redis;
    private readonly LedgerScripts _scripts;
    private readonly MonotonicClock _clock = new(TimeProvider.System);    // the server's time is real, whatever the tests' is
    private readonly string _node;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _beating;
    private readonly Task _watching;
    private readonly TaskCompletionSource _firstAnswer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _nodes = 1;
    private int _rank;
    private int _outstanding;
    private int _answers;
    private volatile int _silentLooks;
    private volatile bool _isSilent = true;    // until it has answered for the first time, and all have told what they spent
    private volatile string? _run;
    private int _lossesSeen = -1;
    private bool _hasTold;
    private int _beats;    // in a row that found the same nodes
    private long _born;    // of the server's run that was told, by its own clock
    private int _forgettings;
    private volatile bool _hasForgotten;

    /// <param name="node">What this node is called: the same after a restart.</param>
    /// <param name="scripts">What Redis runs; others than the real ones only in tests, which own the clock.</param>
    public RedisLedger(RedisConnection redis, ILogger<RedisLedger> logger, string? node = null, LedgerScripts? scripts = null)
    {
        _redis = redis;
        _scripts = scripts ?? LedgerScripts.Real;
        _logger = logger;
        _node = node ?? Guid.NewGuid().ToString("N");
        _beating = Task.Run(BeatAsync);
        _watching = Task.Run(WatchAsync);
    }

    /// <summary>Tells what this node has spent to a ledger that may not know it. False = it was not heard.</summary>
    public Func<Task<bool>> Recount { get; set; } = () => Task.FromResult(true);

    public bool IsShared => true;
    public int Nodes => Volatile.Read(ref _nodes);
    public int Rank => Volatile.Read(ref _rank);

    /// <summary>Rises whenever what is known of the server may no longer hold: with every connection lost, and when it forgot everything while it ran.</summary>
    private int Losses => _redis.Losses + Volatile.Read(ref _forgettings);

    public bool IsAway => _isSilent || Losses != _lossesSeen || !_redis.IsConnected || _silentLooks >= SilentAfterLooks;

    /// <summary>Completes when Redis has answered for the first time.</summary>
    public Task FirstAnswer => _firstAnswer.Task;

    public async ValueTask<LedgerAnswer> AskWindowAsync(string key, long limit, long windowMs, LedgerAsk ask)
    {
        if (!MaySend(Losses, evenIfSilent: false))
            return new LedgerAnswer(LedgerOutcome.Unsent);
        var born = Volatile.Read(ref _born);
        RedisValue[] arguments =
        [
            limit, windowMs, Window.BucketMs(windowMs), ask.Need, ask.Want, ask.Share, ask.Returned, ask.ReturnedTo, ask.Debt, ask.Floor, ask.Hold, ask.TakesTurns ? 1 : 0, born,
            .. (ask.Spent ?? []).SelectMany(spent => new RedisValue[] { spent.Units, spent.From, spent.AgoMs }),
        ];
        var numbers = await RunAsync(_scripts.Window, OfThisRun(key), arguments).ConfigureAwait(false);
        if (numbers is [2, ..])
            NoteForgotten(born);
        return numbers is not [< 2, _, _, _, _, _, _, ..]
            ? new LedgerAnswer(LedgerOutcome.Away)
            : new LedgerAnswer(numbers[0] == 0 ? LedgerOutcome.Granted : LedgerOutcome.Refused, numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6]);
    }

    public async ValueTask<long?> TellWindowAsync(string key, long windowMs, IReadOnlyList<SpentUnits> spent)
    {
        RedisValue[] arguments = [windowMs, Window.BucketMs(windowMs), .. spent.SelectMany(units => new RedisValue[] { units.AgeMs, units.Units })];
        return await RunAsync(_scripts.Tell, OfThisRun(key), arguments, evenIfSilent: true).ConfigureAwait(false) is [var bucket, ..] ? bucket : null;
    }

    public async ValueTask<LedgerAnswer> AskQuotaAsync(string key, string node, long limit, bool hard, LedgerAsk ask)
    {
        var numbers = await RunAsync(_scripts.Quota, key,
            [node, limit, hard ? 1 : 0, ask.Need, ask.Want, ask.Share, ask.Returned, ask.Debt, ask.Floor]).ConfigureAwait(false);
        return numbers is not { Length: >= 3 }
            ? new LedgerAnswer(LedgerOutcome.Away)
            : new LedgerAnswer(numbers[0] switch { 0 => LedgerOutcome.Granted, 1 => LedgerOutcome.Refused, _ => LedgerOutcome.NeedsBase }, numbers[1], numbers[2]);
    }

    public async ValueTask<long?> JoinQuotaAsync(string key, string node, QuotaPart part, long lifetimeMs) =>
        await RunAsync(_scripts.Join, key, [node, part.Granted, part.Counted, part.Total, part.KeepsOlder ? 1 : 0, lifetimeMs], evenIfSilent: true).ConfigureAwait(false)
            is [var granted, ..] ? granted : null;

    public async ValueTask<bool> ResetAsync(string key, bool quota, Guid? order = null) =>
        await RunAsync(quota ? _scripts.ResetQuota : _scripts.ResetWindow, quota ? key : OfThisRun(key), ["", order?.ToString("N") ?? ""]).ConfigureAwait(false) is { Length: > 0 };

    /// <summary>Whether nobody has taken a name before; whoever does keeps it for so long. Null when Redis is away.</summary>
    public async ValueTask<bool?> IsNewAsync(string name, long forMs) => await RunAsync(_scripts.Take, name, [forMs]).ConfigureAwait(false) is [var taken, ..] ? taken == 1 : null;

    public void Tidy()
    {
        // Keys expire by themselves.
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _beating;
        await _watching;
        _stop.Dispose();
        await _redis.DisposeAsync();
    }

    /// <summary>Windows of another run are another ledger's: what this node spent in them is told to the new one.</summary>
    private string OfThisRun(string key) => string.Concat(key, ":", _run);

    private async Task<long[]?> RunAsync(RedisScript script, string key, RedisValue[] arguments, bool evenIfSilent = false)
    {
        var losses = Losses;
        if (!MaySend(losses, evenIfSilent))
            return null;
        Interlocked.Increment(ref _outstanding);
        try
        {
            var answer = await _redis.EvaluateAsync(script, key, arguments, AnswerWithin).ConfigureAwait(false);
            Interlocked.Increment(ref _answers);
            return losses == Losses ? answer : null;    // it may come from a server that does not know what this one knew
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

    private bool MaySend(int losses, bool evenIfSilent) => (evenIfSilent || (!_isSilent && losses == _lossesSeen)) && _redis.IsConnected;

    /// <summary>Notices when something is asked and nothing at all is answered for long.</summary>
    private async Task WatchAsync()
    {
        var seen = 0;
        try
        {
            while (true)
            {
                await Task.Delay(Look, _stop.Token);
                var answers = Volatile.Read(ref _answers);
                _silentLooks = answers == seen && Volatile.Read(ref _outstanding) > 0 ? _silentLooks + 1 : 0;
                seen = answers;
                if (_silentLooks == SilentAfterLooks)
                    FallSilent("it does not answer");
            }
        }
        catch (OperationCanceledException)
        {
            // stopping
        }
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
                var pause = !_isSilent ? (_beats < BeatsUntilSettled ? FirstHeartbeats : Heartbeat) : _hasTold ? OpensSoon : LookAgain;
                if (!_redis.IsConnected && !_firstAnswer.Task.IsCompleted)
                    pause = TimeSpan.FromMilliseconds(10);
                await PauseAsync(pause * (0.75 + (Random.Shared.NextDouble() / 2)));    // nodes do not come back in step
            }
        }
        catch (OperationCanceledException)
        {
            // stopping
        }
    }

    // A connection that was lost and is back is looked at before the next heartbeat.
    private async Task PauseAsync(TimeSpan pause)
    {
        var until = _clock.NowUs + (long)pause.TotalMicroseconds;
        while (_clock.NowUs < until)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Clamp((until - _clock.NowUs) / 1000, 1, 50)), _stop.Token);
            if (Losses != _lossesSeen && _redis.IsConnected && _firstAnswer.Task.IsCompleted)
                return;
        }
    }

    private async Task BeatOnceAsync()
    {
        try
        {
            var losses = Losses;
            if (_hasForgotten)
            {
                _hasForgotten = false;
                _run = "";    // told again, as to another
            }
            if (losses != _lossesSeen)
            {
                if (_redis.IsConnected)
                    FallSilent("the connection was lost");
                await MeetAsync(await _redis.RunIdAsync(AnswerWithin), losses);
            }
            var born = Volatile.Read(ref _born);
            var answer = await _redis.EvaluateAsync(_scripts.Beat, $"tg:nodes:{_run}", [_node, NodeGoneAfterMs, _nodes, _hasTold ? 1 : 0, born], AnswerWithin);
            if (born != 0 && answer[3] != born)
            {
                NoteForgotten(born);
                return;
            }
            if (_hasTold && losses == Losses)
                Volatile.Write(ref _born, answer[3]);
            var isOpen = answer[2] == 1;
            _beats = answer[0] == _nodes && !_isSilent ? _beats + 1 : 0;
            if (answer[0] > _nodes || (isOpen && !_isSilent))    // a server that came back empty has yet to hear from the other nodes
                Volatile.Write(ref _nodes, (int)Math.Max(1, answer[0]));
            Volatile.Write(ref _rank, (int)answer[1]);
            Interlocked.Increment(ref _answers);
            if (!_isSilent || !isOpen || losses != Losses)
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

    /// <summary>The server was emptied while it ran: as with another run of it, nothing is granted before it was told what was spent.</summary>
    private void NoteForgotten(long born)
    {
        if (born == 0 || Interlocked.CompareExchange(ref _born, 0, born) != born)
            return;    // several asks find it out
        _hasForgotten = true;
        Interlocked.Increment(ref _forgettings);
    }

    private async Task MeetAsync(string run, int losses)
    {
        var name = run.Length > 8 ? run[..8] : "any";    // one that may not say: its restarts go unnoticed
        if (name != _run)
        {
            var isFirst = _run is null;
            _run = name;
            _hasTold = isFirst;
            Volatile.Write(ref _born, 0);
            if (!isFirst)
            {
                Log.Another(_logger);
                _hasTold = await Recount();
            }
        }
        if (_hasTold)
            _lossesSeen = losses;
        else
            _run = "";    // told again, to the same or to yet another
    }

    private static partial class Log
    {
        [LoggerMessage(2361, LogLevel.Warning, "The ledger is away ({Reason}); leases in hand are spent, then each plan's way of doing without it applies")]
        public static partial void Away(ILogger logger, string reason);

        [LoggerMessage(2362, LogLevel.Information, "The ledger answers; {Nodes} nodes share it")]
        public static partial void Back(ILogger logger, int nodes);

        [LoggerMessage(2363, LogLevel.Information, "The ledger is another run of the server: it is told what was spent here")]
        public static partial void Another(ILogger logger);
    }
}
