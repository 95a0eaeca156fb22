namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>
/// Which proofs were shown here lately, so that each is taken once (RFC 9449 §11.1). Bounded: when more come than it holds, the oldest are forgotten, and
/// proofs as old as those are refused from then on. None is ever taken twice.
/// </summary>
internal sealed class ProofMemory(int capacity = 262_144)
{
    private readonly KeyedHash _hash = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<long, HashSet<UInt128>> _bySecond = [];
    private long _oldest = long.MaxValue;
    private long _forgotten = long.MinValue;
    private int _count;

    /// <param name="of">Thumbprint of the key that signed it.</param>
    /// <param name="madeSecond">When it was made, as it says.</param>
    /// <param name="longestSeconds">After which nobody would take it anyway.</param>
    public bool IsFirst(string of, string jti, long madeSecond, long nowSecond, int longestSeconds)
    {
        var hash = _hash.Of($"{of}\n{jti}");
        lock (_lock)
        {
            for (var tooOld = nowSecond - longestSeconds; _oldest < tooOld && _bySecond.Count > 0; _oldest++) Drop(_oldest);
            if (_forgotten > nowSecond + longestSeconds) _forgotten = long.MinValue;    // the clock was put back
            if (madeSecond <= _forgotten) return false;

            if (!_bySecond.TryGetValue(madeSecond, out var proofs)) _bySecond[madeSecond] = proofs = [];
            if (!proofs.Add(hash)) return false;
            _oldest = _bySecond.Count == 1 ? madeSecond : Math.Min(_oldest, madeSecond);
            for (_count++; _count > capacity; _oldest++)
            {
                Drop(_oldest);
                _forgotten = _oldest;
            }

            return true;
        }
    }

    private void Drop(long second)
    {
        if (_bySecond.Remove(second, out var proofs)) _count -= proofs.Count;
    }
}
