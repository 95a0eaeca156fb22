using System.Collections.Frozen;

namespace Tollgate.Gateway.Discovery;

/// <summary>
/// The routes of services that are called by their names (<c>/service/rest</c>). A service that nobody has called yet is looked for; the call waits for
/// that, and finds its route here although it began before there was one.
/// </summary>
internal sealed class DynamicRouteTable(ServiceDirectory services) : Policy.Routing.IDynamicRoutes
{
    private const int LongestName = 128;

    private static readonly System.Buffers.SearchValues<char> InName =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    private FrozenDictionary<string, Policy.Routing.Route> _routes = FrozenDictionary<string, Policy.Routing.Route>.Empty;

    public void Use(IEnumerable<KeyValuePair<string, Policy.Routing.Route>> routes) => Volatile.Write(ref _routes, routes.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase));

    public Policy.Routing.Route? Find(ReadOnlySpan<char> path, out Task? arrival)
    {
        arrival = null;
        var name = path[1..];
        var slash = name.IndexOf('/');
        if (slash >= 0) name = name[..slash];
        if (Volatile.Read(ref _routes).GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out var route)) return route;
        if (name.Length is 0 or > LongestName || name.IndexOfAnyExcept(InName) >= 0) return null;
        arrival = services.Ask(NameOf(name.ToString()));
        return null;
    }

    // As in Ocelot: what stands before the first dot is the service's namespace.
    private static ServiceName NameOf(string text)
    {
        var dot = text.IndexOf('.');
        return dot <= 0 || dot == text.Length - 1 ? new ServiceName(text, null) : new ServiceName(text[(dot + 1)..], text[..dot]);
    }
}
