using System.Net;
using Tollgate.Contracts;

namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>An API key or OAuth client as the gateway knows it, and the application that it acts for. A change makes another.</summary>
internal sealed class Credential
{
    private string? _id;
    private string? _prefix;
    private long _usedMinute;

    /// <summary>The key's id, or <c>client:</c> and the OAuth client id. Goes into usage; never the secret.</summary>
    public string Id
    {
        get => _id ??= KeyId.ToString();
        init => _id = value;
    }

    /// <summary>What may be shown of the key, such as <c>tg_live_ab12</c>; empty for clients and imported keys.</summary>
    public string Prefix => _prefix ??= Credentials.ShownPrefix.Unpack(ShownPrefix);

    public required Application Application { get; init; }
    public bool Revoked { get; init; }

    /// <summary>Refused while the gateway has not heard of the control plane for long: a revocation may be on its way.</summary>
    public bool HighRisk { get; init; }

    /// <summary>For trying things out; told to the upstream.</summary>
    public bool Test { get; init; }

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

    internal uint ShownPrefix { get; init; }

    /// <summary>The minute, since 1970, in which it was last taken here; 0 = not yet.</summary>
    internal long UsedMinute
    {
        get => Volatile.Read(ref _usedMinute);
        set => Volatile.Write(ref _usedMinute, value);
    }
}
