namespace Tollgate.Gateway.Policy.Limits;

/// <summary>What limits look at of a call.</summary>
/// <param name="Units">What it weighs.</param>
/// <param name="Operation">The name of its route.</param>
/// <param name="Credential">The id of its key or client.</param>
internal readonly record struct LimitedCall(long Units, string Operation = "", string Credential = "");
