using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Feeds;

namespace Tollgate.Gateway.Consumers;

/// <summary>Keeps the tables as a watched consumers file says. A bad file changes nothing; what is wrong with it is told in the log and in the facts.</summary>
internal sealed partial class ConsumersSource(string path, IFeedTarget credentials, IFeedTarget entitlements, Freshness freshness, ILogger<ConsumersSource> logger) : IAsyncDisposable
{
    private FileWatch? _watch;
    private byte[] _inForce = [];
    private volatile string? _error;

    /// <summary>How often the file was taken over.</summary>
    public int Version { get; private set; }

    /// <summary>What is wrong with the file as it is now; null when it is in force.</summary>
    public string? Error => _error;

    /// <summary>Puts the file in force and watches it. Throws what is wrong with it: at the start there is nothing older to keep.</summary>
    public async Task StartAsync(CancellationToken cancel)
    {
        _watch = FileWatch.Start(path, "*", ReloadAsync, logger);
        await LoadAsync(cancel);
    }

    public async ValueTask DisposeAsync()
    {
        if (_watch is not null)
            await _watch.DisposeAsync();
    }

    private async Task ReloadAsync(CancellationToken cancel)
    {
        try
        {
            await LoadAsync(cancel);
        }
        catch (Exception error) when (error is ConsumersFileException or IOException or UnauthorizedAccessException)
        {
            if (_error != error.Message)
                Log.Refused(logger, error.Message);
            _error = error.Message;
            freshness.Lose();
        }
    }

    private async Task LoadAsync(CancellationToken cancel)
    {
        var content = await File.ReadAllBytesAsync(path, cancel);
        if (Version > 0 && content.AsSpan().SequenceEqual(_inForce))
        {
            _error = null;
            freshness.Hold();
            return;
        }
        var file = ConsumersFile.Read(content, path);
        Replace(entitlements, file.Entitlements);    // first what they may, then who they are
        Replace(credentials, file.Credentials);
        _inForce = content;
        _error = null;
        freshness.Hold();
        Version++;
        Log.InForce(logger, path, file.Credentials.Count(item => item is ApplicationItem), file.Credentials.Count(item => item is KeyItem));
    }

    private static void Replace(IFeedTarget target, IReadOnlyList<FeedItem> items)
    {
        var changes = target.Begin(snapshot: true);
        foreach (var item in items)
            changes.Add(item);
        changes.Commit();
    }

    private static partial class Log
    {
        [LoggerMessage(2311, LogLevel.Information, "{Path} is in force with {Applications} applications and {Keys} keys")]
        public static partial void InForce(ILogger logger, string path, int applications, int keys);

        [LoggerMessage(2312, LogLevel.Error, "{Problem} What was in force before stays so.")]
        public static partial void Refused(ILogger logger, string problem);
    }
}
