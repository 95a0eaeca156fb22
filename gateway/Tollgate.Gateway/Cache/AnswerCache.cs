using System.Collections.Concurrent;

namespace Tollgate.Gateway.Cache;

/// <summary>
/// Answers that are kept in memory, bounded by their bytes: when there is no room, those that were not used for the longest time go. Also knows
/// which answers are being fetched, so that many callers of one cost the service one call.
/// </summary>
internal sealed class AnswerCache(long maxBytes)
{
    private const int Shards = 8;

    private readonly Shard[] _shards = [.. Enumerable.Range(0, Shards).Select(_ => new Shard(maxBytes / Shards))];
    private readonly ConcurrentDictionary<CacheKey, TaskCompletionSource> _fetching = new();

    /// <summary>The largest body that is kept.</summary>
    public int LargestBody { get; } = (int)Math.Min(8 * 1024 * 1024, maxBytes / Shards / 2);

    public long Bytes => _shards.Sum(shard => shard.Bytes);
    public int Count => _shards.Sum(shard => shard.Count);

    public CachedAnswer? Find(in CacheKey key) => ShardOf(key.Address).Find(key);

    public void Keep(in CacheKey key, CachedAnswer answer) => ShardOf(key.Address).Keep(key, answer);

    public void Forget(in CacheKey key) => ShardOf(key.Address).Forget(key);

    /// <summary>Throws away every answer of an address, as an unsafe call to it asks (RFC 9111 §4.4).</summary>
    public void ForgetAddress(UInt128 address) => ShardOf(address).ForgetAddress(address);

    /// <summary>How many answers went.</summary>
    public int ForgetRegion(string region) => _shards.Sum(shard => shard.ForgetWhere(answer => answer.Region.Equals(region, StringComparison.OrdinalIgnoreCase)));

    /// <summary>How many answers went.</summary>
    public int ForgetTag(string tag) => _shards.Sum(shard => shard.ForgetWhere(answer => answer.Tags.Contains(tag, StringComparer.OrdinalIgnoreCase)));

    /// <summary>How many answers went.</summary>
    public int ForgetAll() => _shards.Sum(shard => shard.ForgetWhere(_ => true));

    /// <summary>True = the caller fetches the answer, and says so when it has it or gives up; false = somebody does, and <paramref name="fetched"/> completes then.</summary>
    public bool TryFetch(in CacheKey key, out Task fetched)
    {
        var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var first = _fetching.GetOrAdd(key, mine);
        fetched = first.Task;
        return ReferenceEquals(first, mine);
    }

    public void Fetched(in CacheKey key)
    {
        if (_fetching.TryRemove(key, out var waiting)) waiting.TrySetResult();
    }

    private Shard ShardOf(UInt128 address) => _shards[(int)(uint)(address & (Shards - 1))];

    private sealed class Shard(long maxBytes)
    {
        private readonly Lock _lock = new();
        private readonly Dictionary<CacheKey, LinkedListNode<(CacheKey Key, CachedAnswer Answer, int Size)>> _answers = [];
        private readonly Dictionary<UInt128, HashSet<CacheKey>> _byAddress = [];
        private readonly LinkedList<(CacheKey Key, CachedAnswer Answer, int Size)> _byUse = [];
        private long _bytes;

        public long Bytes => Interlocked.Read(ref _bytes);

        public int Count
        {
            get
            {
                lock (_lock) return _answers.Count;
            }
        }

        public CachedAnswer? Find(CacheKey key)
        {
            lock (_lock)
            {
                if (!_answers.TryGetValue(key, out var node)) return null;
                if (node.Previous is not null)
                {
                    _byUse.Remove(node);
                    _byUse.AddFirst(node);
                }

                return node.Value.Answer;
            }
        }

        public void Keep(CacheKey key, CachedAnswer answer)
        {
            var size = answer.Size;
            lock (_lock)
            {
                Remove(key);
                if (size > maxBytes) return;
                while (_bytes + size > maxBytes) Remove(_byUse.Last!.Value.Key);
                _answers.Add(key, _byUse.AddFirst((key, answer, size)));
                if (!_byAddress.TryGetValue(key.Address, out var keys)) _byAddress.Add(key.Address, keys = []);
                keys.Add(key);
                _bytes += size;
            }
        }

        public void Forget(CacheKey key)
        {
            lock (_lock) Remove(key);
        }

        public void ForgetAddress(UInt128 address)
        {
            lock (_lock)
            {
                if (!_byAddress.TryGetValue(address, out var keys)) return;
                foreach (var key in keys.ToArray()) Remove(key);
            }
        }

        public int ForgetWhere(Func<CachedAnswer, bool> goes)
        {
            lock (_lock)
            {
                var gone = 0;
                for (var node = _byUse.First; node is not null;)
                {
                    var next = node.Next;
                    if (goes(node.Value.Answer))
                    {
                        if (!node.Value.Answer.IsSignpost) gone++;
                        Remove(node.Value.Key);
                    }

                    node = next;
                }

                return gone;
            }
        }

        private void Remove(CacheKey key)
        {
            if (!_answers.Remove(key, out var node)) return;
            _byUse.Remove(node);
            _bytes -= node.Value.Size;
            if (_byAddress.TryGetValue(key.Address, out var keys) && keys.Remove(key) && keys.Count == 0) _byAddress.Remove(key.Address);
        }
    }
}
