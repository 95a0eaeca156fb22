namespace Tollgate.Gateway.Policy.FileLimits;

/// <summary>A rate limit that a file writes (<c>RateLimitOptions</c>): so many calls of a client a period, whoever the client may be.</summary>
internal sealed class RateRule
{
    /// <summary>The header whose value is the client.</summary>
    public required string ClientHeader { get; init; }

    /// <summary>Clients without a limit.</summary>
    public string[] Free { get; init; } = [];

    public required long Limit { get; init; }
    public required long PeriodMs { get; init; }

    /// <summary>How long a client that was refused waits; null = for the rest of the period.</summary>
    public long? WaitMs { get; init; }

    public int Status { get; init; } = 429;

    /// <summary>Answered as plain text.</summary>
    public required string Message { get; init; }

    /// <summary>Whether answers tell where the client stands.</summary>
    public bool Tells { get; init; } = true;
}
