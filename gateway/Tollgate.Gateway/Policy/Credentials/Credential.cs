using System.Net;
using Tollgate.Contracts;

namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>An API key or OAuth client as the gateway knows it, and the application that it acts for. Immutable: a change makes another.</summary>
internal sealed class Credential
{
    private string? _id;
    private string? _prefix;
    private readonly uint _shownPrefix;

    /// <summary>The key's id, or <c>client:</c> and the OAuth client id. Goes into usage; never the secret.</summary>
    public string Id
    {
        get => _id ??= KeyId.ToString();    // a million keys that never call need no text
        init => _id = value;
    }

    /// <summary>What may be shown of the key, such as <c>tg_live_ab12</c>; empty for clients and imported keys.</summary>
    public string Prefix
    {
        get => _prefix ??= _shownPrefix == 0 ? "" : ShownPrefix.Unpack(_shownPrefix);
        init
        {
            if (ShownPrefix.TryPack(value, out _shownPrefix))
                return;
            _prefix = value;
        }
    }

    public required Application Application { get; init; }
    public bool Revoked { get; init; }

    /// <summary>Milliseconds since 1970 UTC; <see cref="long.MaxValue"/> = never.</summary>
    public long ExpiresUnixMs { get; init; } = long.MaxValue;

    /// <summary>Null = all that the application may.</summary>
    public string[]? Scopes { get; init; }

    /// <summary>Empty = from anywhere.</summary>
    public IPNetwork[] Networks { get; init; } = [];

    /// <summary>Empty for clients.</summary>
    internal ApiKeyId KeyId { get; init; }

    /// <summary>SHA-256 of the key; zeros for clients.</summary>
    internal KeyDigest Digest { get; init; }

    /// <summary>The usual prefix in four bytes: live or test in the top bit, then four characters of seven bits each.</summary>
    private static class ShownPrefix
    {
        private const uint Used = 1u << 31;
        private const uint Test = 1u << 30;

        public static bool TryPack(string prefix, out uint packed)
        {
            packed = 0;
            if (prefix.Length != ApiKeyFormat.ShownLength || !(prefix.StartsWith(ApiKeyFormat.LivePrefix, StringComparison.Ordinal) || prefix.StartsWith(ApiKeyFormat.TestPrefix, StringComparison.Ordinal)))
                return false;
            var shown = prefix.AsSpan(ApiKeyFormat.LivePrefix.Length);
            for (var i = 0; i < 4; i++)
            {
                if (shown[i] > 127)
                    return false;
                packed = (packed << 7) | shown[i];
            }
            packed |= Used | (prefix.StartsWith(ApiKeyFormat.TestPrefix, StringComparison.Ordinal) ? Test : 0);
            return true;
        }

        public static string Unpack(uint packed) =>
            string.Concat(
                (packed & Test) != 0 ? ApiKeyFormat.TestPrefix : ApiKeyFormat.LivePrefix,
                [(char)((packed >> 21) & 127), (char)((packed >> 14) & 127), (char)((packed >> 7) & 127), (char)(packed & 127)]);
    }
}
