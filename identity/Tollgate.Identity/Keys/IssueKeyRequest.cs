namespace Tollgate.Identity.Keys;

/// <summary>What a key shall be.</summary>
/// <param name="Test">A <c>tg_test_</c> key instead of a <c>tg_live_</c> one.</param>
/// <param name="Expires">Null = never.</param>
/// <param name="Scopes">Null or empty = all of the application's.</param>
/// <param name="Networks">Addresses or CIDR ranges that it may come from; null or empty = anywhere.</param>
public sealed record IssueKeyRequest(
    string Name, bool Test = false, DateTimeOffset? Expires = null, IReadOnlyList<string>? Scopes = null, IReadOnlyList<string>? Networks = null)
{
    public const int MaxNameLength = 80;
}
