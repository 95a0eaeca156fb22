using System.Collections.Concurrent;

namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>
/// Digests of keys that were accepted before, under a keyed hash of the raw key, so that SHA-256 is not computed a call. Holds no credential:
/// what the key may do now is looked up by digest every time, so a revocation needs no clean-up here. Bounded: two generations,
/// of which the older is dropped when the younger is full.
/// </summary>
internal sealed class RememberedKeys(int capacity = 131_072)
{
    private readonly KeyedHash _hash = new();
    private readonly Lock _turning = new();
    private ConcurrentDictionary<UInt128, KeyDigest> _young = new();
    private ConcurrentDictionary<UInt128, KeyDigest> _old = new();
    private int _youngCount;

    public UInt128 HashOf(ReadOnlySpan<char> rawKey) => _hash.Of(rawKey);

    public bool TryGet(UInt128 hash, out KeyDigest digest)
    {
        if (Volatile.Read(ref _young).TryGetValue(hash, out digest))
            return true;
        if (!Volatile.Read(ref _old).TryGetValue(hash, out digest))
            return false;
        Remember(hash, digest);
        return true;
    }

    public void Remember(UInt128 hash, in KeyDigest digest)
    {
        if (Volatile.Read(ref _young).TryAdd(hash, digest) && Interlocked.Increment(ref _youngCount) > capacity / 2)
            Turn();
    }

    private void Turn()
    {
        lock (_turning)
        {
            if (_youngCount <= capacity / 2)
                return;
            Volatile.Write(ref _old, _young);
            Volatile.Write(ref _young, new ConcurrentDictionary<UInt128, KeyDigest>());
            _youngCount = 0;
        }
    }
}
