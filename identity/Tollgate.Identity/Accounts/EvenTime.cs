namespace Tollgate.Identity.Accounts;

/// <summary>Lets an answer take one step or several of the same length, so that nobody reads from the clock whether an account exists, however busy the machine is.</summary>
internal readonly struct EvenTime(TimeProvider time)
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(400);
    private readonly long _began = time.GetTimestamp();

    public async Task PassAsync(CancellationToken cancel)
    {
        var into = time.GetElapsedTime(_began).Ticks % Step.Ticks;
        await Task.Delay(TimeSpan.FromTicks(Step.Ticks - into), time, cancel);
    }
}
