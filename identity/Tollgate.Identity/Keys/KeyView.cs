using Tollgate.Contracts;

namespace Tollgate.Identity.Keys;

/// <summary>A key as pages show it: enough to recognise, never enough to use.</summary>
/// <param name="Scopes">Empty = all of the application's.</param>
/// <param name="Networks">Empty = anywhere.</param>
/// <param name="HighRisk">Refused by gateways that have lost touch with the control plane.</param>
/// <param name="LastUsed">The minute in which a gateway last took it; null = never.</param>
/// <param name="Imported">Made elsewhere and known here by its digest alone: there is no prefix to show.</param>
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
    IReadOnlyList<string> Networks,
    bool HighRisk,
    DateTimeOffset? LastUsed,
    bool Imported);

/// <summary>Whether a key is admitted.</summary>
public enum KeyState
{
    Live,
    Expired,
    Revoked,
}
