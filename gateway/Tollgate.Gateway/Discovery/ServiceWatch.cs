using System.Diagnostics;

namespace Tollgate.Gateway.Discovery;

/// <summary>Keeps knowing where one service runs. While nobody can be asked, what was known last stays.</summary>
internal sealed partial class ServiceWatch : IAsyncDisposable
{
    private const long UsualPollMs = 500;
    private const long LongestPauseMs = 5000;

    private readonly ServiceName _service;
    private readonly IServiceSource _source;
    private readonly long? _pollMs;
    private readonly Action _changed;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _known = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _loop;
    private IReadOnlyList<ServiceHost> _hosts;
    private string? _trouble;
    private volatile bool _wasRead;

    /// <param name="known">What was found out already; null = nothing.</param>
    public ServiceWatch(ServiceName service, IServiceSource source, long? pollMs, IReadOnlyList<ServiceHost>? known, Action changed, ILogger logger)
    {
        (_service, _source, _pollMs, _changed, _logger) = (service, source, pollMs, changed, logger);
        _hosts = known ?? [];
        if (known is not null) _known.TrySetResult();
        _loop = Task.Run(RunAsync);
    }

    /// <summary>What is known. Who has read it is told when it changes.</summary>
    public IReadOnlyList<ServiceHost> Hosts
    {
        get
        {
            _wasRead = true;
            return Volatile.Read(ref _hosts);
        }
    }

    /// <summary>Completes with the first answer, or the first failure to get one.</summary>
    public Task Known => _known.Task;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        var stop = _stop.Token;
        string? mark = null;
        var pause = 0L;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var askedAt = Stopwatch.GetTimestamp();
                var answer = await _source.AskAsync(_service, _pollMs is null ? mark : null, stop);
                Learn(answer.Hosts);

                // A source that says it waited and came back at once with nothing new cannot wait.
                var waited = answer.Mark is not null && (answer.Mark != mark || Stopwatch.GetElapsedTime(askedAt) > TimeSpan.FromMilliseconds(200));
                mark = answer.Mark;
                pause = _pollMs ?? answer.AskAgainMs ?? (waited ? 20 : UsualPollMs);
            }
            catch (Exception failed) when (failed is not OperationCanceledException || !stop.IsCancellationRequested)
            {
                pause = Math.Clamp(pause * 2, 500, LongestPauseMs);
                mark = null;
                if (_trouble != failed.Message) Log.NotAnswered(_logger, _service, _trouble = failed.Message);
                _known.TrySetResult();
            }
            catch (OperationCanceledException)
            {
                break;
            }

            try
            {
                await Task.Delay(TimeSpan.FromMilliseconds(pause), stop);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }
    }

    private void Learn(IReadOnlyList<ServiceHost> hosts)
    {
        _trouble = null;
        var changed = !hosts.SequenceEqual(_hosts);
        Volatile.Write(ref _hosts, hosts);
        _known.TrySetResult();
        if (!changed) return;
        Log.RunsOn(_logger, _service, hosts.Count);
        if (_wasRead) _changed();
    }

    private static partial class Log
    {
        [LoggerMessage(1201, LogLevel.Information, "The service {Service} runs on {Hosts} hosts")]
        public static partial void RunsOn(ILogger logger, ServiceName service, int hosts);

        [LoggerMessage(1202, LogLevel.Warning, "Where the service {Service} runs cannot be found out at the moment, what was known last is used: {Reason}")]
        public static partial void NotAnswered(ILogger logger, ServiceName service, string reason);
    }
}
