namespace Tollgate.Gateway.Policy.Limits;

/// <summary>A refusal of the ledger, remembered: so many units have no room until <paramref name="RetryAtUs"/>, and it is not asked again before <paramref name="AskAgainAtUs"/>.</summary>
internal sealed record Denial(long Units, long AskAgainAtUs, long RetryAtUs);
