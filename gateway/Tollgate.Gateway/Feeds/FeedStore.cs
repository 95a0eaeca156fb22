using System.Security.Cryptography;
using System.Text;
using Tollgate.Contracts.Feeds;

namespace Tollgate.Gateway.Feeds;

/// <summary>
/// The last good state of a feed on disk: <c>feeds/{name}.ndjson</c>, the answers as they came, each followed by its checksum. A snapshot replaces the
/// file by a rename; changes are appended. A tail that was cut off or damaged is left out, with a warning: what stands before it is whole.
/// </summary>
internal sealed partial class FeedStore
{
    private const long SmallestToCompact = 4 << 20;
    private static readonly byte[] LineFeed = "\n"u8.ToArray();

    private readonly string _path;
    private readonly ILogger _logger;
    private long _snapshotBytes;
    private long _bytes;

    public FeedStore(string dataFolder, string name, ILogger logger)
    {
        var folder = Path.Combine(dataFolder, "feeds");
        Directory.CreateDirectory(folder);
        _path = Path.Combine(folder, name + ".ndjson");
        _logger = logger;
    }

    /// <summary>Changes have outgrown the snapshot that they follow, or could not be written: the next answer should be a snapshot.</summary>
    public bool WantsSnapshot { get; private set; }

    /// <summary>Puts what is on disk in force. <see cref="FeedPosition.Start"/> when there is nothing, or nothing of use.</summary>
    public async Task<FeedPosition> LoadAsync(IFeedTarget target, CancellationToken cancel)
    {
        var loading = new Loading(target);
        try
        {
            if (!File.Exists(_path))
                return FeedPosition.Start;
            await using (var file = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, useAsync: false))
            {
                if (await FeedLines.ReadAsync(file, loading.Take, null, cancel) || loading.IsInsideBlock)
                    loading.Damage ??= "it was cut off";
            }
        }
        catch (Exception error) when (error is FeedException or IOException or UnauthorizedAccessException)
        {
            loading.Damage ??= error.Message;
        }

        if (loading.Damage is not null)
        {
            Log.Damaged(_logger, _path, loading.Damage, loading.Position.Version);
            TryTruncate(loading.GoodBytes);
        }
        (_snapshotBytes, _bytes) = (loading.SnapshotBytes, loading.GoodBytes);
        WantsSnapshot = _bytes == 0;
        return loading.Position;
    }

    /// <summary>Begins to keep an answer. Dispose it without <see cref="Block.Complete"/> and nothing has happened.</summary>
    public Block Begin(bool snapshot) => new(this, snapshot);

    private void TryTruncate(long length)
    {
        try
        {
            using var file = new FileStream(_path, FileMode.Open, FileAccess.Write);
            file.SetLength(length);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            WantsSnapshot = true;
        }
    }

    /// <summary>One answer on its way to the disk. A full disk costs the state on disk its freshness, never the gateway its service.</summary>
    public sealed class Block : IDisposable
    {
        private readonly FeedStore _store;
        private readonly bool _snapshot;
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private readonly Stream? _stream;
        private Exception? _failure;
        private bool _completed;

        internal Block(FeedStore store, bool snapshot)
        {
            (_store, _snapshot) = (store, snapshot);
            try
            {
                _stream = snapshot ? new FileStream(TemporaryPath, FileMode.Create, FileAccess.Write, FileShare.None, 64 * 1024) : new MemoryStream();
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                _failure = error;
            }
        }

        private string TemporaryPath => _store._path + ".new";

        public void Write(ReadOnlySpan<byte> line)
        {
            _hash.AppendData(line);
            _hash.AppendData(LineFeed);
            Try(line);
            Try(LineFeed);
        }

        public void Complete()
        {
            _completed = true;
            Try(Encoding.ASCII.GetBytes($"#{Convert.ToHexStringLower(_hash.GetHashAndReset())}\n"));
            if (_failure is null)
            {
                try
                {
                    if (_snapshot)
                        Replace((FileStream)_stream!);
                    else
                        Append((MemoryStream)_stream!);
                }
                catch (Exception error) when (error is IOException or UnauthorizedAccessException)
                {
                    _failure = error;
                }
            }
            if (_failure is null)
                return;
            Log.NotKept(_store._logger, _store._path, _failure.Message);
            _store.WantsSnapshot = true;    // what comes next must not be appended after a gap
        }

        public void Dispose()
        {
            _stream?.Dispose();
            _hash.Dispose();
            if (!_completed && _snapshot)
            {
                try
                {
                    File.Delete(TemporaryPath);
                }
                catch (Exception error) when (error is IOException or UnauthorizedAccessException)
                {
                    // overwritten next time
                }
            }
        }

        private void Replace(FileStream file)
        {
            file.Flush(flushToDisk: true);
            var length = file.Length;
            file.Dispose();
            File.Move(TemporaryPath, _store._path, overwrite: true);
            _store._snapshotBytes = _store._bytes = length;
            _store.WantsSnapshot = false;
        }

        private void Append(MemoryStream block)
        {
            if (_store.WantsSnapshot)
                return;
            using var file = new FileStream(_store._path, FileMode.Append, FileAccess.Write, FileShare.Read, 1);
            block.Position = 0;
            block.CopyTo(file);
            _store._bytes += block.Length;
            _store.WantsSnapshot = _store._bytes - _store._snapshotBytes > Math.Max(SmallestToCompact, _store._snapshotBytes);
        }

        private void Try(ReadOnlySpan<byte> bytes)
        {
            if (_failure is not null)
                return;
            try
            {
                _stream!.Write(bytes);
            }
            catch (IOException error)
            {
                _failure = error;
            }
        }
    }

    /// <summary>Reads blocks; each takes force once its checksum has been seen.</summary>
    private sealed class Loading(IFeedTarget target)
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private IFeedChanges? _changes;
        private FeedBegin? _begin;
        private FeedEnd? _end;
        private long _read;

        public FeedPosition Position { get; private set; } = FeedPosition.Start;
        public long GoodBytes { get; private set; }
        public long SnapshotBytes { get; private set; }
        public string? Damage { get; set; }
        public bool IsInsideBlock => _begin is not null;

        public void Take(ReadOnlySpan<byte> line)
        {
            if (Damage is not null)
                return;
            _read += line.Length + 1;
            if (line is [(byte)'#', ..])
            {
                Close(line[1..]);
                return;
            }
            _hash.AppendData(line);
            _hash.AppendData(LineFeed);
            switch (FeedLineParser.Parse(line))
            {
                case FeedBegin begin:
                    if (_begin is not null || (!begin.Snapshot && begin.Epoch != Position.Epoch))
                        throw new FeedException("an answer does not follow the one before");
                    _begin = begin;
                    _changes = target.Begin(begin.Snapshot);
                    break;
                case FeedEnd end:
                    _end = end;
                    break;
                case FeedItem item:
                    (_changes ?? throw new FeedException("an item stands outside of an answer")).Add(item);
                    break;
            }
        }

        private void Close(ReadOnlySpan<byte> checksum)
        {
            if (_begin is null || _end is null || !checksum.SequenceEqual(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(_hash.GetHashAndReset()))))
                throw new FeedException("its checksum is wrong");
            _changes!.Commit();
            Position = new FeedPosition(_begin.Epoch, _end.Version);
            GoodBytes = _read;
            if (_begin.Snapshot)
                SnapshotBytes = _read;
            (_begin, _end, _changes) = (null, null, null);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2321, LogLevel.Warning, "{Path} is damaged ({Damage}); it is used up to version {Version}, and the rest is asked for again")]
        public static partial void Damaged(ILogger logger, string path, string damage, long version);

        [LoggerMessage(2322, LogLevel.Warning, "{Path} could not be written ({Reason}); a restart without the control plane would begin with an older state")]
        public static partial void NotKept(ILogger logger, string path, string reason);
    }
}
