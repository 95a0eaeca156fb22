using Tollgate.Storage;

namespace Tollgate.Host;

/// <summary>A database that is not up yet, or away for a moment, delays the control plane's start instead of ending it.</summary>
internal static partial class DatabaseWait
{
    public static async Task UntilThereAsync(ILogger logger, Func<Task> work, CancellationToken cancel)
    {
        for (var waitSeconds = 1; ; waitSeconds = Math.Min(waitSeconds * 2, 15))
        {
            try
            {
                await work();
                return;
            }
            catch (Exception away) when (Database.IsAway(away) && !cancel.IsCancellationRequested)
            {
                Log.DatabaseAway(logger, away.GetBaseException().Message, waitSeconds);
                await Task.Delay(TimeSpan.FromSeconds(waitSeconds), cancel);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1001, LogLevel.Warning, "PostgreSQL does not answer ({Reason}); trying again in {Seconds} s")]
        public static partial void DatabaseAway(ILogger logger, string reason, int seconds);
    }
}
