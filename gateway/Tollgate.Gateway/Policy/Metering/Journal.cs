using Tollgate.Contracts;

namespace Tollgate.Gateway.Policy.Metering;

/// <summary>
/// The node's own record of every metered call, in memory-mapped segment files that survive <c>kill -9</c>. One writer process a folder.
/// </summary>
internal sealed class Journal
{
    /// <summary>False while the disk or the journal's budget is full: metered calls are refused before they are forwarded.</summary>
    public bool IsAccepting => true;

    /// <summary>The small number under which records name who called what. Written to the journal's dictionary before it is first used.</summary>
    public int AccountOf(in JournalAccount account) => 0;

    /// <summary>
    /// Writes one answered call. Must be called before the first byte of the answer leaves: what the caller has seen is then counted,
    /// whatever happens to the process. No system call, no lock.
    /// </summary>
    public JournalSlot Record(int account, int status, long arrivedUnixMs, long units, UInt128 requestId) => default;

    /// <summary>Adds what is known only at the end of the answer.</summary>
    public void Complete(JournalSlot slot, long bytesOut, long durationUs)
    {
    }
}

/// <summary>Names a written record until its call has ended.</summary>
internal readonly record struct JournalSlot(int Segment, int Index, long Generation);

/// <summary>Everything about a metered call that does not change from one to the next.</summary>
internal readonly record struct JournalAccount(
    SubscriptionId Subscription,
    AppId Application,
    string ApplicationName,
    string Credential,
    string Product,
    string Route,
    string Meter);
