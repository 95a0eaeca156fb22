using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Tollgate.Storage.Feeds;

internal static class FeedListener
{
    public const string Channel = "tollgate_feed";
}

/// <summary>Hears of other nodes' commits over PostgreSQL's <c>LISTEN</c>. While it does not, polls look for themselves.</summary>
internal sealed class FeedListener<TContext>(
    IConfiguration configuration, FeedSignal<TContext> signal, TimeProvider time, ILogger<FeedListener<TContext>> logger) : BackgroundService
    where TContext : DbContext
{
    protected override async Task ExecuteAsync(CancellationToken cancel)
    {
        var connectionString = Database.PostgresOf(configuration)!;
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(connectionString, cancel);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }
            catch (Exception lost) when (lost is NpgsqlException or IOException or System.Net.Sockets.SocketException or TimeoutException)
            {
                if (signal.HearsEveryone) Log.ListenLost(logger, lost.Message);
                signal.HearsEveryone = false;
                await Task.Delay(TimeSpan.FromSeconds(1), time, cancel);
            }
        }
    }

    private async Task ListenAsync(string connectionString, CancellationToken cancel)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { KeepAlive = 10, Pooling = false };
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        connection.Notification += (_, _) => signal.Pulse();
        await connection.OpenAsync(cancel);
        await using (var listen = new NpgsqlCommand($"LISTEN {FeedListener.Channel}", connection)) await listen.ExecuteNonQueryAsync(cancel);
        signal.HearsEveryone = true;
        signal.Pulse();   // something may have happened while nobody listened
        while (true) await connection.WaitAsync(cancel);
    }

    private static class Log
    {
        private static readonly Action<ILogger, string, Exception?> ListenLostMessage = LoggerMessage.Define<string>(
            LogLevel.Warning, new EventId(1101, "ListenLost"), "PostgreSQL no longer tells of changes ({Reason}); looking every half second until it does");

        public static void ListenLost(ILogger logger, string reason) => ListenLostMessage(logger, reason, null);
    }
}
