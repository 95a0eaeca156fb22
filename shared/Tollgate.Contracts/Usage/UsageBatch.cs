namespace Tollgate.Contracts.Usage;

/// <summary>
/// A sealed group of aggregated calls from one gateway node, sent to <c>POST /usage</c> until it is answered with 200.
/// (<paramref name="NodeId"/>, <paramref name="JournalEpoch"/>, <paramref name="Sequence"/>) names it for ever: counted twice equals counted once.
/// </summary>
/// <param name="NodeId">The node's own name for itself, kept in its data folder.</param>
/// <param name="JournalEpoch">Made when the journal was made; a node that lost its data folder starts another.</param>
/// <param name="Sequence">1, 2, 3 … within the epoch, without gaps.</param>
/// <param name="PreviousHash">The hash of the batch before, 64 hex digits; zeros for the first.</param>
/// <param name="Hash">SHA-256 over the previous hash and the stretch of journal records that the batch sums up, 64 lower-case hex digits.</param>
public sealed record UsageBatch(string NodeId, string JournalEpoch, long Sequence, string PreviousHash, string Hash, IReadOnlyList<UsageRow> Rows);

/// <summary>Calls alike in every column, within one minute.</summary>
/// <param name="Credential">The API key's id, or <c>client:</c> and the OAuth client id.</param>
/// <param name="Route">The route's name: its <c>Key</c> in the file, else its upstream template.</param>
/// <param name="Meter">What was counted: <see cref="Meters.Requests"/>, or <see cref="Meters.Test"/> with a test key.</param>
/// <param name="Status">HTTP status of the answer.</param>
/// <param name="MinuteUnixMs">Start of the minute in which the calls arrived, milliseconds since 1970 UTC.</param>
/// <param name="Units">What the calls weigh together: 1 a call unless the route says otherwise; 0 where the upstream never answered.</param>
/// <param name="BytesOut">Response body bytes, where known when the batch was sealed.</param>
/// <param name="DurationUs">Sum of durations in microseconds, where known when the batch was sealed.</param>
public sealed record UsageRow(
    SubscriptionId Subscription,
    AppId Application,
    string Credential,
    string Product,
    string Route,
    string Meter,
    int Status,
    long MinuteUnixMs,
    long Calls,
    long Units,
    long BytesOut,
    long DurationUs);

/// <summary>The answer to an accepted batch.</summary>
/// <param name="Duplicate">The batch had been counted before, and was not counted again.</param>
public sealed record UsageReceipt(bool Duplicate);

/// <summary>Units counted for a subscription in a period, from <c>GET /usage/total</c>: the base on which a lost quota counter is rebuilt.</summary>
public sealed record UsageTotal(long Units);
