using System.Threading.Channels;

namespace Tollgate.Gateway;

/// <summary>
/// Tells when a file, or a file of a folder that matches a pattern, may have changed: written, replaced by a rename, made, deleted, or reached
/// through a link that now points elsewhere. The system's own notice is quick; a look every half second catches what it misses (network
/// shares, mounted configuration volumes, a folder made later). Start it before the first load, so that no change falls between the two.
/// </summary>
internal sealed partial class FileWatch : IAsyncDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(30);    // an editor writes in several steps

    private static readonly EnumerationOptions AnyCase = new() { MatchCasing = MatchCasing.CaseInsensitive };

    private readonly string _path;
    private readonly string _filter;
    private readonly Func<CancellationToken, Task> _changed;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<bool> _notices = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Task _loop;
    private FileSystemWatcher? _watcher;
    private string _stamp;

    private FileWatch(string path, string filter, Func<CancellationToken, Task> changed, ILogger logger)
    {
        _path = Path.GetFullPath(path);
        _filter = filter;
        _changed = changed;
        _logger = logger;
        TryListen();
        _stamp = Stamp();
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Watches <paramref name="path"/>. <paramref name="changed"/> is never run twice at once; what it throws is logged and the watch goes on.</summary>
    /// <param name="path">A file, or a folder.</param>
    /// <param name="filter">Which files of a folder count, such as <c>*.json</c>. Of no meaning for a file.</param>
    public static FileWatch Start(string path, string filter, Func<CancellationToken, Task> changed, ILogger logger) =>
        new(path, filter, changed, logger);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _watcher?.Dispose();
        await _loop;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        var stop = _stop.Token;
        try
        {
            while (true)
            {
                var noticed = await NoticeAsync(stop);
                var stamp = Stamp();
                if (!noticed && stamp == _stamp)
                    continue;

                await Task.Delay(Settle, stop);
                _notices.Reader.TryRead(out _);
                _stamp = Stamp();
                try
                {
                    await _changed(stop);
                }
                catch (Exception error) when (error is not OperationCanceledException)
                {
                    Log.ReloadFailed(_logger, _path, error);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // stopped
        }
    }

    /// <summary>True when the system gave notice, false when it is time for a look.</summary>
    private async Task<bool> NoticeAsync(CancellationToken stop)
    {
        if (_watcher is null)
            TryListen();
        using var wait = CancellationTokenSource.CreateLinkedTokenSource(stop);
        wait.CancelAfter(Poll);
        try
        {
            return await _notices.Reader.ReadAsync(wait.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return false;
        }
    }

    private void TryListen()
    {
        var isFolder = Directory.Exists(_path);
        var folder = isFolder ? _path : Path.GetDirectoryName(_path);
        if (folder is null || !Directory.Exists(folder))
            return;
        try
        {
            var watcher = new FileSystemWatcher(folder, isFolder ? _filter : Path.GetFileName(_path))
            {
                NotifyFilter = NotifyFilters.FileName | NotifyFilters.LastWrite | NotifyFilters.Size | NotifyFilters.CreationTime,
            };
            watcher.Changed += (_, _) => Notice();
            watcher.Created += (_, _) => Notice();
            watcher.Deleted += (_, _) => Notice();
            watcher.Renamed += (_, _) => Notice();
            watcher.Error += (_, _) => Notice();
            watcher.EnableRaisingEvents = true;
            _watcher = watcher;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // Out of inotify watches, or not allowed: the look every half second does the work.
        }
    }

    private void Notice() => _notices.Writer.TryWrite(true);

    private string Stamp()
    {
        try
        {
            return Directory.Exists(_path)
                ? string.Join('\n', new DirectoryInfo(_path).EnumerateFiles(_filter, AnyCase).OrderBy(file => file.Name, StringComparer.Ordinal).Select(Stamp))
                : Stamp(new FileInfo(_path));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return error.GetType().Name;
        }
    }

    private static string Stamp(FileInfo file)
    {
        var target = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
        return target.Exists ? $"{file.Name}|{target.FullName}|{target.Length}|{target.LastWriteTimeUtc.Ticks}" : $"{file.Name}|absent";
    }

    private static partial class Log
    {
        [LoggerMessage(2301, LogLevel.Error, "What changed in {Path} could not be taken over; what was in force stays so")]
        public static partial void ReloadFailed(ILogger logger, string path, Exception error);
    }
}
