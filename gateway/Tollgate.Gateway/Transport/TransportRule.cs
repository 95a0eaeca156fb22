namespace Tollgate.Gateway.Transport;

/// <summary>How connections to a route's services are made and used. Routes with equal rules share their connections.</summary>
internal sealed record TransportRule
{
    public static readonly TransportRule Default = new();

    /// <summary>Redirects of the service are followed here, not by the caller.</summary>
    public bool FollowRedirects { get; init; }

    /// <summary>Cookies of the service are kept, for all callers of the route together.</summary>
    public bool KeepCookies { get; init; }

    /// <summary>The proxy that the environment names (<c>HTTP_PROXY</c> and its like) is used.</summary>
    public bool UseProxy { get; init; }

    /// <summary>Connections to one host at a time; 0 = as many as are needed.</summary>
    public int MaxConnections { get; init; }

    public int LifetimeSeconds { get; init; } = 120;

    /// <summary>Any certificate of the service will do.</summary>
    public bool TrustAnyCertificate { get; init; }

    /// <summary>Null = the machine's authorities, and no certificate of ours.</summary>
    public UpstreamTls? Tls { get; init; }

    /// <summary>The name that services are asked for and their certificates must have; null = that of the host that is called.</summary>
    public string? ServerName { get; init; }

    /// <summary>Set where connections belong to one route alone; otherwise empty.</summary>
    public string Owner { get; init; } = "";

    /// <summary>Names of the delegating handlers that a message passes, outermost first, separated by a line break.</summary>
    public string Handlers { get; init; } = "";

    /// <summary>Of the plug-ins that have them.</summary>
    public int Generation { get; init; }
}
