using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Tollgate.Storage.Feeds;

/// <summary>Takes out of a feed, every hour, what no gateway needs any more: so it holds what is alive, however long the product has been running.</summary>
public abstract partial class FeedTidying(TimeProvider time, ILogger logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);

    protected TimeProvider Time => time;

    /// <summary>One round. Returns how many entries left the feed.</summary>
    public abstract Task<int> TidyAsync(CancellationToken cancel);

    protected sealed override async Task ExecuteAsync(CancellationToken stop)
    {
        // Nodes that start together need not all do this at once.
        using var timer = new PeriodicTimer(Every + (TimeSpan.FromMinutes(10) * Random.Shared.NextDouble()), time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                try
                {
                    if (await TidyAsync(stop) is > 0 and var entries) Log.Left(logger, entries);
                }
                catch (Exception failed) when (!stop.IsCancellationRequested)
                {
                    Log.Failed(logger, failed.Message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // stopped
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1311, LogLevel.Information, "{Entries} entries that gateways no longer need left the feed")]
        public static partial void Left(ILogger logger, int entries);

        [LoggerMessage(1312, LogLevel.Warning, "The feed was not tidied this time ({Reason})")]
        public static partial void Failed(ILogger logger, string reason);
    }
}
