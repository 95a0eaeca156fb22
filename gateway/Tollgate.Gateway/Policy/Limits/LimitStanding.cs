namespace Tollgate.Gateway.Policy.Limits;

/// <summary>
/// Where a call left its plan's limits, enough to write the answer's headers: <c>RateLimit-Policy</c> and <c>RateLimit</c>
/// (draft-ietf-httpapi-ratelimit-headers: structured fields, one item a policy, <c>q</c>, <c>w</c>, <c>r</c>, <c>t</c>).
/// </summary>
internal readonly struct LimitStanding
{
    /// <summary>The <c>RateLimit-Policy</c> value, made when the entitlement was compiled; null when the plan has no limits.</summary>
    public string? Policy => null;

    /// <summary>Writes the <c>RateLimit</c> value. Remaining values are never more than what would be admitted.</summary>
    public string? Describe() => null;
}
