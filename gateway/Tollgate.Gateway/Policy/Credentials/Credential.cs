using System.Net;
using Tollgate.Contracts;

namespace Tollgate.Gateway.Policy.Credentials;

/// <summary>An API key or OAuth client as the gateway knows it, and the application that it acts for. Immutable: a change makes another.</summary>
internal sealed class Credential
{
    /// <summary>The key's id, or <c>client:</c> and the OAuth client id. Goes into usage; never the secret.</summary>
    public required string Id { get; init; }

    /// <summary>What may be shown of the key, such as <c>tg_live_ab12</c>; empty for clients and imported keys.</summary>
    public string Prefix { get; init; } = "";

    public required Application Application { get; init; }
    public bool Revoked { get; init; }

    /// <summary>Milliseconds since 1970 UTC; <see cref="long.MaxValue"/> = never.</summary>
    public long ExpiresUnixMs { get; init; } = long.MaxValue;

    /// <summary>Null = all that the application may.</summary>
    public string[]? Scopes { get; init; }

    /// <summary>Empty = from anywhere.</summary>
    public IPNetwork[] Networks { get; init; } = [];
}

/// <summary>The application behind a credential.</summary>
internal sealed class Application
{
    public required AppId Id { get; init; }

    /// <summary>As its owner named it, or as the consumers file does.</summary>
    public required string Name { get; init; }

    public required string Organisation { get; init; }
    public bool Suspended { get; init; }
}
