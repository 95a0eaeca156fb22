using Tollgate.Gateway.Policy;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>Where a call waits for a lease or a key set that is on its way: not long, and never for what is away.</summary>
internal static class Parking
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(Verdict.StepMs);

    /// <summary>Waits until the policy has decided. Still pending = the caller went away.</summary>
    public static async Task<Verdict> WaitAsync(Exchange exchange, Verdict verdict)
    {
        var time = exchange.Engine.Time;
        var parkedAt = time.GetTimestamp();
        while (verdict.Kind == VerdictKind.Pending)
        {
            var left = TimeSpan.FromMilliseconds(verdict.PatienceMs) - time.GetElapsedTime(parkedAt);
            var final = left <= TimeSpan.Zero;
            if (!final && !verdict.Arrival!.IsCompleted)    // what has arrived already is a reason to ask again, not the last word
            {
                try
                {
                    await verdict.Arrival.WaitAsync(left < Step ? left : Step, time, exchange.Context.RequestAborted);
                }
                catch (TimeoutException)
                {
                    // Asked again: it may have learned meanwhile that nothing will come, or that more patience is due.
                }
                catch (OperationCanceledException)
                {
                    return verdict;
                }
            }

            exchange.Admission = new Admission { FileRate = exchange.Admission.FileRate, IsProven = exchange.Admission.IsProven, Proof = exchange.Admission.Proof };
            verdict = exchange.Decide(final);
        }

        return verdict;
    }
}
