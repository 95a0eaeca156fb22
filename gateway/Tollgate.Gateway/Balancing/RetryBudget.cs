namespace Tollgate.Gateway.Balancing;

/// <summary>Bounds the tries beyond the first to a share of the calls, so that a service in trouble is not asked twice as often as a healthy one.</summary>
internal sealed class RetryBudget(int percent)
{
    private const long One = 100;
    private const long Most = 100 * One;    // also what a quiet route may spend at once

    private long _left = 10 * One;

    public int Percent { get; } = percent;

    /// <summary>A call begins.</summary>
    public void Earn()
    {
        if (Volatile.Read(ref _left) < Most) Interlocked.Add(ref _left, Percent);
    }

    /// <summary>Whether one more try may be made.</summary>
    public bool TrySpend()
    {
        if (Interlocked.Add(ref _left, -One) >= 0) return true;
        Interlocked.Add(ref _left, One);
        return false;
    }
}
