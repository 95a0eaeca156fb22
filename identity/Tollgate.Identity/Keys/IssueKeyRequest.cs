namespace Tollgate.Identity.Keys;

/// <summary>What a key shall be.</summary>
/// <param name="Test">A <c>tg_test_</c> key instead of a <c>tg_live_</c> one.</param>
/// <param name="Expires">Null = never.</param>
/// <param name="Scopes">Null or empty = all of the application's.</param>
/// <param name="Networks">Addresses or CIDR ranges that it may come from; null or empty = anywhere.</param>
/// <param name="HighRisk">Refused by gateways that have not heard of the control plane for a while, rather than that a revocation be missed.</param>
public sealed record IssueKeyRequest(
    string Name, bool Test = false, DateTimeOffset? Expires = null, IReadOnlyList<string>? Scopes = null, IReadOnlyList<string>? Networks = null,
    bool HighRisk = false)
{
    public const int MaxNameLength = 80;
}

/// <summary>A key that was made elsewhere and shall go on working here.</summary>
/// <param name="Sha256">SHA-256 of the whole key as UTF-8, 64 hex digits.</param>
/// <param name="LastFour">Its last characters, if its owner wants to recognise it by them; at most four.</param>
public sealed record ImportKeyRequest(
    string Name, string Sha256, string? LastFour = null, bool Test = false, DateTimeOffset? Expires = null, IReadOnlyList<string>? Scopes = null,
    IReadOnlyList<string>? Networks = null, bool HighRisk = false)
{
    internal IssueKeyRequest Terms => new(Name, Test, Expires, Scopes, Networks, HighRisk);
}
