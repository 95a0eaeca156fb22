namespace Tollgate.Identity.Accounts;

/// <summary>Lets an answer take at least so long that nobody reads from the clock whether an account exists.</summary>
internal readonly struct EvenTime(TimeProvider time)
{
    private static readonly TimeSpan Floor = TimeSpan.FromMilliseconds(400);
    private readonly long _began = time.GetTimestamp();

    public async Task PassAsync(CancellationToken cancel)
    {
        var left = Floor - time.GetElapsedTime(_began);
        if (left > TimeSpan.Zero) await Task.Delay(left, time, cancel);
    }
}
