namespace Tollgate.Gateway.Policy.Limits;

/// <summary>What limits look at of a call.</summary>
/// <param name="Units">What it weighs.</param>
/// <param name="Operation">The name of its route.</param>
/// <param name="Credential">The id of its key or client.</param>
/// <param name="ArrivedUnixMs">When it arrived: units that were granted while it waited are its own.</param>
internal readonly record struct LimitedCall(long Units, string Operation = "", string Credential = "", long ArrivedUnixMs = 0);
