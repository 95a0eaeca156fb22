namespace Tollgate.Gateway.Policy.Limits;

/// <summary>How a counter stands on this node, for the internal port.</summary>
/// <param name="InHand">Units of the lease that may be spent without asking.</param>
/// <param name="LeaseMs">For how long.</param>
/// <param name="Room">What the ledger had left when it last answered; null = it has not yet.</param>
/// <param name="AnsweredMsAgo">When that was.</param>
/// <param name="RefusesMs">Callers are refused for so long; null = they are not.</param>
/// <param name="Owed">Units admitted without the ledger that it has not heard of.</param>
/// <param name="Key">What the ledger calls it; of a quota, without its period.</param>
internal sealed record CounterFacts(
    string Name, string Kind, long Limit, long InHand, long? LeaseMs, long? Room, long? AnsweredMsAgo, long? RefusesMs, long Owed, bool Shadow, string Key);
