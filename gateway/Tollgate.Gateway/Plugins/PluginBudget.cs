namespace Tollgate.Gateway.Plugins;

/// <summary>
/// How long a plug-in may work on a call. What takes longer is cut off, counted and said in the log: code of somebody else's may be slow, but not the gateway.
/// Only a plug-in's own time counts, not what the service takes.
/// </summary>
internal sealed partial class PluginBudget(int budgetMs, TimeProvider time, GatewayMetrics? metrics, ILogger<PluginBudget> logger)
{
    private static readonly TimeSpan SayAgainAfter = TimeSpan.FromSeconds(1);

    private long _saidAt;

    public TimeSpan Limit { get; } = TimeSpan.FromMilliseconds(budgetMs);

    public TimeProvider Time => time;

    /// <summary>Lets a plug-in work, and gives it up when it takes too long; then what it still makes is thrown away.</summary>
    /// <param name="own">The plug-in's own time so far; null = all of it.</param>
    /// <exception cref="PluginException">It took too long.</exception>
    public async Task<T> RunAsync<T>(string name, Func<CancellationToken, Task<T>> work, Func<TimeSpan>? own, CancellationToken cancel)
    {
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var started = time.GetTimestamp();
        var working = Task.Run(() => work(cut.Token), cut.Token);    // so that one that blocks can be given up as well
        while (true)
        {
            var left = Limit - (own?.Invoke() ?? time.GetElapsedTime(started));
            if (left <= TimeSpan.Zero)
            {
                await cut.CancelAsync();
                _ = working.ContinueWith(static late => (late.IsCompletedSuccessfully ? late.Result as IDisposable : null)?.Dispose(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
                Report(name);
                throw new PluginException($"The plug-in {name} took longer than {budgetMs} ms.");
            }

            try
            {
                return await working.WaitAsync(left < Tick ? Tick : left, time, cancel);
            }
            catch (TimeoutException) when (!working.IsCompleted)
            {
                // The service may have had the time.
            }
        }
    }

    /// <summary>A plug-in took too long.</summary>
    public void Report(string name)
    {
        metrics?.PluginOverran(name);
        var now = time.GetTimestamp();
        var said = Interlocked.Read(ref _saidAt);
        if (said != 0 && time.GetElapsedTime(said, now) < SayAgainAfter || Interlocked.CompareExchange(ref _saidAt, now, said) != said) return;
        Log.Overran(logger, name, budgetMs);
    }

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(2);

    private static partial class Log
    {
        [LoggerMessage(1031, LogLevel.Warning, "The plug-in {Name} took longer than {Budget} ms and was cut off")]
        public static partial void Overran(ILogger logger, string name, int budget);
    }
}

/// <summary>A plug-in failed or took too long: no fault of the service, and no reason to ask another host.</summary>
internal sealed class PluginException(string message, Exception? cause = null) : Exception(message, cause);
