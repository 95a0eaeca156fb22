namespace Tollgate.Identity.OAuth.CleanUp;

/// <summary>How what is over is deleted.</summary>
public sealed class CleanUpOptions
{
    public int IntervalMinutes { get; set; } = 60;

    /// <summary>How many rows one statement deletes: small ones let others through.</summary>
    public int BatchSize { get; set; } = 500;

    internal string? WhatIsWrong() => IntervalMinutes is < 1 or > 1440 || BatchSize is < 1 or > 10_000
        ? "Identity:CleanUp: IntervalMinutes is 1 to 1440, BatchSize 1 to 10000."
        : null;
}
