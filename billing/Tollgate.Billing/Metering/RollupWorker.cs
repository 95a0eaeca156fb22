using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Tollgate.Billing.Metering;

/// <summary>Runs the rollup from time to time. A database that is away is said once, and tried again.</summary>
internal sealed partial class RollupWorker(Rollup rollup, IOptions<MeteringOptions> options, TimeProvider time, ILogger<RollupWorker> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Value.RollupSeconds), time);
        var failing = false;
        try
        {
            do
            {
                try
                {
                    await rollup.RunAsync(cancel);
                    if (failing) Log.Again(logger);
                    failing = false;
                }
                catch (Exception failed) when (!cancel.IsCancellationRequested)
                {
                    if (!failing) Log.Failed(logger, failed);
                    failing = true;
                }
            }
            while (await timer.WaitForNextTickAsync(cancel));
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // The process stops; what is not summed up yet stays marked.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4203, LogLevel.Error, "Hours of usage could not be summed up; readers take the minutes until it works again")]
        public static partial void Failed(ILogger logger, Exception exception);

        [LoggerMessage(4204, LogLevel.Information, "Hours of usage are summed up again")]
        public static partial void Again(ILogger logger);
    }
}
