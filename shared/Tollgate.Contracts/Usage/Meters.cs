namespace Tollgate.Contracts.Usage;

/// <summary>What usage is counted in: the name that <see cref="UsageRow.Meter"/> holds.</summary>
public static class Meters
{
    /// <summary>Calls with live keys and tokens, in the units that they weigh.</summary>
    public const string Requests = "requests";

    /// <summary>Calls with test keys, whatever they weigh: counted and shown apart, against limits and quotas of their own, and never part of an invoice.</summary>
    public const string Test = "test";
}
