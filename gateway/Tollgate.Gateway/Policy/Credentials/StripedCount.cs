namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>A count that many threads raise at once without getting into each other's way.</summary>
internal sealed class StripedCount
{
    private const int Stripes = 16;
    private const int Apart = 16;    // longs: two cache lines

    private readonly long[] _cells = new long[Stripes * Apart];

    public void Add() => Interlocked.Increment(ref _cells[(Environment.CurrentManagedThreadId & (Stripes - 1)) * Apart]);

    public long Value
    {
        get
        {
            var sum = 0L;
            for (var i = 0; i < _cells.Length; i += Apart) sum += Interlocked.Read(ref _cells[i]);
            return sum;
        }
    }
}
