namespace Tollgate.Contracts.Usage;

/// <summary>Which keys one gateway saw lately, to the minute. Sent to <see cref="InternalPaths.KeyUse"/>; the latest minute of all gateways holds, so twice equals once.</summary>
public sealed record KeyUseReport(IReadOnlyList<KeyUse> Keys);

/// <param name="MinuteUnixMs">Start of the minute, milliseconds since 1970 UTC.</param>
public sealed record KeyUse(ApiKeyId Key, long MinuteUnixMs);
