namespace Tollgate.Gateway.Policy.FileLimits;

/// <summary>What a file's rate limit said of a call. Default = was not asked.</summary>
/// <param name="ResetUnixMs">When the period ends.</param>
internal readonly record struct RateStanding(RateRule Rule, RateAnswer Answer, long Remaining, long ResetUnixMs, long RetryAfterMs)
{
    public bool IsRefused => Answer is RateAnswer.Refused or RateAnswer.Unidentified;

    /// <summary>Rounded up: a client that waits that long gets in.</summary>
    public int RetryAfterSeconds => (int)Math.Clamp((RetryAfterMs + 999) / 1000, 1, int.MaxValue);
}

internal enum RateAnswer : byte
{
    NotAsked,
    Free,
    Admitted,
    Refused,

    /// <summary>The call did not say which client it comes from.</summary>
    Unidentified,
}
