namespace Tollgate.Gateway.Policy.Routing;

/// <summary>The hosts that a route's calls go to, in turns. Outlives a reload of the configuration that leaves it as it was, and so keeps its turn.</summary>
internal sealed class Upstream(Destination[] destinations, bool firstOnly = false)
{
    private uint _turn = uint.MaxValue;

    public Destination[] Destinations { get; } = destinations;

    /// <summary>The place of the next destination: strict turns from the first, also under parallel calls.</summary>
    public int Next() => Destinations.Length == 1 || firstOnly ? 0 : (int)(Interlocked.Increment(ref _turn) % (uint)Destinations.Length);
}

/// <summary>One host of an upstream.</summary>
internal sealed class Destination
{
    /// <param name="port">0 = the scheme's own.</param>
    /// <param name="scheme">http or https; null = the call's own.</param>
    public Destination(string host, int port, string? scheme)
    {
        var authority = port == 0 ? host : $"{host}:{port}";
        OverHttp = $"{scheme ?? "http"}://{authority}";
        OverHttps = $"{scheme ?? "https"}://{authority}";
    }

    /// <summary>Scheme and authority for calls that came over http, without a closing slash.</summary>
    public string OverHttp { get; }

    /// <summary>The same for calls that came over https.</summary>
    public string OverHttps { get; }
}
