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

    /// <summary>This node's place among them, from 0: what does not divide evenly goes to the first.</summary>
    int Rank { get; }

    /// <summary>Whether nothing is to be expected of it now: counters fall back at once instead of waiting for an answer.</summary>
    bool IsAway { get; }

    /// <summary>Asks for units of a rate limit: at most <paramref name="limit"/> in any window of <paramref name="windowMs"/>.</summary>
    ValueTask<LedgerAnswer> AskWindowAsync(string key, long limit, long windowMs, LedgerAsk ask);

    /// <summary>Tells a ledger that has lost its memory what this node spent lately: units by how many milliseconds ago, at the least, they were spent.
    /// Answers the bucket that what was spent just now is counted in; null when it is away.</summary>
    ValueTask<long?> TellWindowAsync(string key, long windowMs, IReadOnlyList<SpentUnits> spent);

    /// <summary>Asks for units of a quota's period. <see cref="LedgerOutcome.NeedsBase"/> when the ledger does not know the node's part (any more).</summary>
    ValueTask<LedgerAnswer> AskQuotaAsync(string key, string node, long limit, bool hard, LedgerAsk ask);

    /// <summary>Puts the node's part of a quota's period in order. Answers what the ledger now holds as granted to the node; -1 when the usage store's total is needed; null when it is away.</summary>
    ValueTask<long?> JoinQuotaAsync(string key, string node, QuotaPart part, long lifetimeMs);

    /// <summary>Begins a counter anew, as if nothing had been spent. False when the ledger is away.</summary>
    /// <param name="order">Nodes that carry out the same order carry it out once between them; null = always.</param>
    ValueTask<bool> ResetAsync(string key, bool quota, Guid? order = null);

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
/// <param name="Floor">Granted, if wanted and there, although the share would be less: where limits are large a slice is worth its round trip.</param>
/// <param name="Hold">Buckets that the lease may live for while the window is less than half full, or if it is small: what is kept longer is counted for as much longer.</param>
/// <param name="TakesTurns">Leases are held as long as they may be, and once one was refused who finds less than the floor is given a turn: when, after the turns given before, what it wants should be free.</param>
/// <param name="Spent">Units of leases that were spent before their bucket ends, or after: they are counted where they were spent.</param>
internal readonly record struct LedgerAsk(
    long Need, long Want, long Share, long Returned, long ReturnedTo, long Debt, long Floor = 1, long Hold = 1,
    bool TakesTurns = false, SpentPiece[]? Spent = null)
{
    /// <summary>In the place of a floor: nothing is granted, the need is only asked about.</summary>
    public const long OnlyLooks = -1;

    /// <summary>Where nobody was refused of late, a node that takes turns gets no more than this part of what is left, or of the floor: the others do not find it gone.</summary>
    public const long CalmPart = 3;

    /// <summary>What is granted when <paramref name="room"/> is left and covers the need.</summary>
    /// <param name="isCrowded">More is wanted than there is, and nodes come in turns.</param>
    public long GrantFrom(long room, bool isCrowded = false)
    {
        if (Floor == OnlyLooks)
            return 0;
        var some = !TakesTurns ? Math.Max(room / Math.Max(1, Share), Math.Min(room, Floor))
            : isCrowded ? room    // it waited for so much
            : Math.Max(room, Math.Min(room * CalmPart, Floor)) / CalmPart;
        return Math.Max(Need, Math.Min(Want, some));
    }
}

/// <param name="Units">What was granted.</param>
/// <param name="Room">What is left after that.</param>
/// <param name="Bucket">Where it was counted; a lease of it lives as long as the bucket does.</param>
/// <param name="BucketLeftUs">Microseconds until the bucket ends, by the ledger's clock.</param>
/// <param name="RetryUs">Of a refusal: microseconds until the need has room if nobody else spends. Otherwise: until the oldest spent units are free again.</param>
/// <param name="TurnUs">Microseconds until this node's turn: before it, too little is left to be worth asking for. 0 = no turn was given.</param>
internal readonly record struct LedgerAnswer(
    LedgerOutcome Outcome, long Units = 0, long Room = 0, long Bucket = 0, long BucketLeftUs = 0, long RetryUs = 0, long TurnUs = 0);

internal enum LedgerOutcome : byte
{
    Granted,
    Refused,

    /// <summary>The ledger does not know the counter, or not this node's part of it: that is put in order before anything is admitted.</summary>
    NeedsBase,

    /// <summary>No answer. Whatever the ask carried may or may not have been counted.</summary>
    Away,

    /// <summary>It was away before the ask left: what that carried has surely not been counted.</summary>
    Unsent,
}

/// <summary>Units of a lease that were spent elsewhere than where they are counted.</summary>
/// <param name="From">The bucket that they are counted in.</param>
/// <param name="AgoMs">How long ago, at the least, the last of them was spent.</param>
internal readonly record struct SpentPiece(long Units, long From, long AgoMs);

/// <summary>Units that a node spent, and how long ago at the least.</summary>
internal readonly record struct SpentUnits(long AgeMs, long Units);

/// <summary>
/// One node's part of a quota's period. The ledger adds up what it has granted to each node, and what the usage store has counted of nodes
/// that it has not heard of: Σ granted + (counted − Σ counted of those nodes).
/// </summary>
/// <param name="Granted">Units granted to the node in the period and not returned: after a restart, what its journal holds.</param>
/// <param name="Counted">Of these, what the usage store's total contains.</param>
/// <param name="Total">What the usage store has counted of all nodes; 0 without one, -1 = not asked yet.</param>
/// <param name="KeepsOlder">What the ledger holds as granted stays: the node cannot know how much of it was spent.</param>
internal readonly record struct QuotaPart(long Granted, long Counted, long Total, bool KeepsOlder);
