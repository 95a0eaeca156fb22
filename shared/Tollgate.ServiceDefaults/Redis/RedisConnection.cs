using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Tollgate.ServiceDefaults.Redis;

/// <summary>
/// The one connection to Redis. Connects in the background and again after every loss, never makes a caller wait longer than it said,
/// and never blocks a thread. While there is no connection, commands fail at once.
/// </summary>
/// <remarks>The client library is of an old generation: everything that touches it is in this folder.</remarks>
public sealed partial class RedisConnection : IAsyncDisposable
{
    private static readonly Version Oldest = new(5, 0);
    private static readonly TimeSpan ConnectAgain = TimeSpan.FromMilliseconds(250);

    private readonly ConfigurationOptions _options;
    private readonly NamedUserRelay? _relay;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _connecting;
    private volatile ConnectionMultiplexer? _multiplexer;
    private int _losses;

    private RedisConnection(ConfigurationOptions options, NamedUserRelay? relay, ILogger logger)
    {
        (_options, _relay, _logger) = (options, relay, logger);
        _connecting = Task.Run(ConnectAsync);
    }

    /// <summary>Begins to connect and returns. Throws <see cref="FormatException"/> for a connection string that makes no sense.</summary>
    public static RedisConnection Start(string connectionString, ILogger<RedisConnection> logger)
    {
        var (options, relay) = RedisConnectionString.Read(connectionString);
        options.AbortOnConnectFail = false;
        options.ClientName = "tollgate";
        options.ConnectTimeout = 1000;
        options.SyncTimeout = 1000;
        options.ConnectRetry = 1;
        options.KeepAlive = 10;
        options.ReconnectRetryPolicy = new LinearRetry(100);
        options.DefaultVersion = Oldest;    // until the server says, and where it may not be asked
        return new RedisConnection(options, relay, logger);
    }

    public bool IsConnected => _multiplexer is { IsConnected: true };

    /// <summary>Rises with every connection that was lost: what was sent before may not have been carried out, and the server may be another.</summary>
    public int Losses => Volatile.Read(ref _losses);

    /// <summary>What the server calls this run of itself: another after a restart and on a replica that took over. Empty when it does not say.</summary>
    public async Task<string> RunIdAsync(TimeSpan atMost)
    {
        if (_multiplexer is not { IsConnected: true } multiplexer)
            throw new RedisUnavailableException("There is no connection to Redis.");
        try
        {
            var info = (string?)await BoundAsync(multiplexer.GetDatabase().ExecuteAsync("INFO", "server"), atMost).ConfigureAwait(false) ?? "";
            return info.Split('\n').Select(line => line.Trim()).FirstOrDefault(line => line.StartsWith("run_id:", StringComparison.Ordinal))?["run_id:".Length..] ?? "";
        }
        catch (RedisServerException)
        {
            return "";    // not allowed to ask
        }
        catch (Exception error) when (error is RedisException or TimeoutException or ObjectDisposedException or InvalidOperationException or TaskCanceledException)
        {
            throw new RedisUnavailableException(error.Message, error);
        }
    }

    /// <summary>Runs a script. It is sent whole when the server does not know it (any more). Throws <see cref="RedisUnavailableException"/> when there is no answer within <paramref name="atMost"/>.</summary>
    public async Task<long[]> EvaluateAsync(RedisScript script, string key, RedisValue[] arguments, TimeSpan atMost)
    {
        if (_multiplexer is not { IsConnected: true } multiplexer)
            throw new RedisUnavailableException("There is no connection to Redis.");

        var database = multiplexer.GetDatabase();
        RedisKey[] keys = [key];
        try
        {
            try
            {
                // Not by ExecuteAsync: after a command that the library does not know it selects the database anew, one command more for each.
                return Numbers(await BoundAsync(database.ScriptEvaluateAsync(script.Sha1, keys, arguments), atMost).ConfigureAwait(false));
            }
            catch (RedisServerException error) when (error.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
            {
                // A server that was restarted or took over has forgotten it; it was not run.
                return Numbers(await BoundAsync(database.ExecuteAsync("EVAL", [script.Lua, 1, keys[0], .. arguments]), atMost).ConfigureAwait(false));
            }
        }
        catch (Exception error) when (error is RedisException or TimeoutException or ObjectDisposedException or InvalidOperationException or TaskCanceledException)
        {
            throw new RedisUnavailableException(error.Message, error);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _connecting;
        if (_multiplexer is { } multiplexer)
            await Task.Run(() => multiplexer.Close(allowCommandsToComplete: false));    // the library closes synchronously
        if (_relay is not null)
            await _relay.DisposeAsync();
        _stop.Dispose();
    }

    private static async Task<RedisResult> BoundAsync(Task<RedisResult> running, TimeSpan atMost)
    {
        try
        {
            return await running.WaitAsync(atMost).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            _ = running.ContinueWith(static late => _ = late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            throw;
        }
    }

    private static long[] Numbers(RedisResult result) => result.IsNull ? [] : (long[])result!;

    private async Task ConnectAsync()
    {
        var told = false;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var multiplexer = await ConnectionMultiplexer.ConnectAsync(_options).ConfigureAwait(false);
                multiplexer.PreserveAsyncOrder = false;
                multiplexer.ConnectionFailed += (_, failure) =>
                {
                    Interlocked.Increment(ref _losses);
                    Log.Lost(_logger, failure.FailureType.ToString());
                };
                multiplexer.ConnectionRestored += (_, _) => Log.Restored(_logger);
                _multiplexer = multiplexer;
                if (multiplexer.IsConnected)
                    Log.Connected(_logger);
                else if (!told)
                    Log.Away(_logger, "nobody answers");
                return;    // from here on the library connects again by itself
            }
            catch (Exception error)
            {
                if (!told)
                    Log.Away(_logger, error.Message);
                told = true;
            }
            try
            {
                await Task.Delay(ConnectAgain, _stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2401, LogLevel.Information, "Redis is connected")]
        public static partial void Connected(ILogger logger);

        [LoggerMessage(2402, LogLevel.Warning, "Redis cannot be reached ({Reason}); it is tried again in the background")]
        public static partial void Away(ILogger logger, string reason);

        [LoggerMessage(2403, LogLevel.Warning, "The connection to Redis was lost ({Reason})")]
        public static partial void Lost(ILogger logger, string reason);

        [LoggerMessage(2404, LogLevel.Information, "The connection to Redis is back")]
        public static partial void Restored(ILogger logger);
    }
}
