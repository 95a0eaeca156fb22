using Tollgate.Contracts;

namespace Tollgate.Identity.Keys;

/// <summary>A key as pages show it: enough to recognise, never enough to use.</summary>
/// <param name="Scopes">Empty = all of the application's.</param>
/// <param name="Networks">Empty = anywhere.</param>
public sealed record KeyView(
    ApiKeyId Id,
    string Name,
    string Prefix,
    string LastFour,
    bool Test,
    DateTimeOffset Created,
    DateTimeOffset? Expires,
    DateTimeOffset? Revoked,
    KeyState State,
    IReadOnlyList<string> Scopes,
    IReadOnlyList<string> Networks);

/// <summary>Whether a key is admitted.</summary>
public enum KeyState
{
    Live,
    Expired,
    Revoked,
}
