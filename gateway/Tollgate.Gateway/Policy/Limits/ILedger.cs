namespace Tollgate.Gateway.Policy.Limits;

/// <summary>
/// Who owns the truth about what has been spent: memory in one process, Redis in a cluster; the same algorithm in both. Asked for slices
/// ("leases") by the counters of each node, never once a call. An ask never throws: a ledger that cannot be reached answers <see cref="LedgerOutcome.Away"/>.
/// </summary>
internal interface ILedger
{
    /// <summary>Whether others spend from it too and an answer takes time.</summary>
    bool IsShared { get; }

    /// <summary>How many nodes spend from it, as far as is known; at least 1.</summary>
    int Nodes { get; }

    /// <summary>Whether nothing is to be expected of it now: counters fall back at once instead of waiting for an answer.</summary>
    bool IsAway { get; }

    /// <summary>Asks for units of a rate limit: at most <paramref name="limit"/> in any window of <paramref name="windowMs"/>.</summary>
    ValueTask<LedgerAnswer> AskWindowAsync(string key, long limit, long windowMs, LedgerAsk ask);

    /// <summary>Asks for units of a quota's period. <see cref="LedgerOutcome.NeedsBase"/> when the ledger has no such counter (any more).</summary>
    ValueTask<LedgerAnswer> AskQuotaAsync(string key, long limit, bool hard, LedgerAsk ask);

    /// <summary>Starts a quota's counter at what was used so far, unless another node was quicker. False when the ledger is away.</summary>
    ValueTask<bool> SeedQuotaAsync(string key, long units, long lifetimeMs);

    /// <summary>Drops what no window and no period needs any more.</summary>
    void Tidy();
}

/// <summary>What a counter asks of the ledger.</summary>
/// <param name="Need">Granted whole or not at all. 0 = nothing is asked, only told.</param>
/// <param name="Want">Welcome beyond the need while there is plenty.</param>
/// <param name="Share">The grant beyond the need is at most the remainder divided by this, so that slices shrink to 1 as it does.</param>
/// <param name="Returned">Unspent units of an earlier lease that has been closed.</param>
/// <param name="ReturnedTo">The bucket (or period) that they were granted in.</param>
/// <param name="Debt">Units admitted while the ledger was away: counted before anything is granted, whether or not there is room.</param>
internal readonly record struct LedgerAsk(long Need, long Want, long Share, long Returned, long ReturnedTo, long Debt)
{
    /// <summary>What is granted when <paramref name="room"/> is left and covers the need.</summary>
    public long GrantFrom(long room) => Math.Max(Need, Math.Min(Want, room / Math.Max(1, Share)));
}

/// <param name="Units">What was granted.</param>
/// <param name="Room">What is left after that.</param>
/// <param name="Bucket">Where it was counted; a lease of it lives as long as the bucket does.</param>
/// <param name="BucketLeftUs">Microseconds until the bucket ends, by the ledger's clock.</param>
/// <param name="RetryUs">Of a refusal: microseconds until the need has room if nobody else spends. Otherwise: until the oldest spent units are free again.</param>
internal readonly record struct LedgerAnswer(LedgerOutcome Outcome, long Units = 0, long Room = 0, long Bucket = 0, long BucketLeftUs = 0, long RetryUs = 0);

internal enum LedgerOutcome : byte
{
    Granted,
    Refused,

    /// <summary>The ledger does not know the counter: it is rebuilt from the usage store before anything is admitted.</summary>
    NeedsBase,

    /// <summary>No answer. Whatever the ask carried may or may not have been counted.</summary>
    Away,
}
