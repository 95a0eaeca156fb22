using Tollgate.Gateway.Balancing;

namespace Tollgate.Gateway.Policy.Routing;

/// <summary>The hosts that a route's calls go to, and how one of them is chosen. Outlives a reload of the configuration that leaves it as it was, and so keeps its turn.</summary>
internal sealed class Upstream(Destination[] destinations, Balancing.Balancing balancing = Balancing.Balancing.Turns, StickySessions? sessions = null)
{
    private readonly Lock _choosing = new();
    private uint _turn = uint.MaxValue;

    public Destination[] Destinations { get; } = destinations;

    /// <summary>Whether hosts count the calls that run on them: each <see cref="Choose"/> is then one that <see cref="Destination.End"/> ends.</summary>
    public bool CountsCalls { get; } = balancing == Balancing.Balancing.LeastCalls && destinations.Length > 1;

    /// <summary>The place of the next destination: strict turns from the first, also under parallel calls.</summary>
    public int Next() => Destinations.Length == 1 || balancing == Balancing.Balancing.First ? 0 : (int)(Interlocked.Increment(ref _turn) % (uint)Destinations.Length);

    /// <summary>The place of the destination for a call.</summary>
    public int Choose(ICallHeaders? headers, long nowUnixMs)
    {
        if (CountsCalls) return FewestCalls();
        return sessions is null || Destinations.Length == 1 ? Next() : sessions.Choose(this, headers, nowUnixMs);
    }

    // Of those with equally few, the first.
    private int FewestCalls()
    {
        lock (_choosing)
        {
            var best = 0;
            for (var i = 1; i < Destinations.Length; i++)
                if (Destinations[i].Running < Destinations[best].Running)
                    best = i;
            Destinations[best].Begin();
            return best;
        }
    }
}

/// <summary>One host of an upstream.</summary>
internal sealed class Destination
{
    private int _running;

    /// <param name="port">0 = the scheme's own.</param>
    /// <param name="scheme">http or https; null = the call's own.</param>
    public Destination(string host, int port, string? scheme)
    {
        Authority = port == 0 ? host : $"{host}:{port}";
        OverHttp = $"{scheme ?? "http"}://{Authority}";
        OverHttps = $"{scheme ?? "https"}://{Authority}";
    }

    public string Authority { get; }

    /// <summary>Scheme and authority for calls that came over http, without a closing slash.</summary>
    public string OverHttp { get; }

    /// <summary>The same for calls that came over https.</summary>
    public string OverHttps { get; }

    /// <summary>Calls under way, where the upstream counts them.</summary>
    public int Running => Volatile.Read(ref _running);

    public void Begin() => Interlocked.Increment(ref _running);

    public void End() => Interlocked.Decrement(ref _running);
}
