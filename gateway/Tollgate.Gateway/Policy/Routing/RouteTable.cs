using System.Diagnostics.CodeAnalysis;

namespace Tollgate.Gateway.Policy.Routing;

/// <summary>
/// Every route, by host, then path and method. A route with <c>UpstreamHost</c> beats any without; then the higher <c>Priority</c>, then file order.
/// A bare <c>/{x}</c> has priority 0 whatever is written.
/// </summary>
internal sealed class RouteTable
{
    private readonly Dictionary<string, Trees> _byHost = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, Trees>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly Trees _anyHost = new();

    public RouteTable(IEnumerable<Route> inFileOrder)
    {
        _lookup = _byHost.GetAlternateLookup<ReadOnlySpan<char>>();
        Routes = [.. inFileOrder.OrderByDescending(route => route.Template.IsCatchAll ? 0 : route.Priority)];
        TellsConsumers = Routes.Any(route => route.TellsConsumer);
        TellsIssuers = Routes.Any(route => route.Providers.Any(provider => provider.IsDiscovered))
            && !Routes.Any(route => route.Template.Text.StartsWith(ResourceMetadataPath, StringComparison.OrdinalIgnoreCase));
        for (var rank = 0; rank < Routes.Length; rank++)
        {
            var route = Routes[rank];
            route.Rank = rank;
            var trees = _anyHost;
            if (route.Host is not null && !_byHost.TryGetValue(route.Host, out trees)) _byHost.Add(route.Host, trees = new Trees());
            trees!.For(route.Template.CaseSensitive).Add(route);
        }
    }

    /// <summary>In the order in which they are asked.</summary>
    public Route[] Routes { get; }

    /// <summary>Whether any upstream wants a signed word on who calls.</summary>
    public bool TellsConsumers { get; }

    /// <summary>Where programs find out who gives tokens (RFC 9728 §3.1).</summary>
    public const string ResourceMetadataPath = "/.well-known/oauth-protected-resource";

    /// <summary>Whether programs are told who gives tokens: somebody does, and no route of the file has taken that path.</summary>
    public bool TellsIssuers { get; }

    /// <summary>Asked where none of <see cref="Routes"/> takes a call; null = nobody is.</summary>
    public IDynamicRoutes? Dynamic { get; init; }

    /// <summary>Refusals have Ocelot's status codes.</summary>
    public bool HasOcelotCodes { get; init; }

    /// <param name="host">As in the <c>Host</c> header.</param>
    /// <param name="path">As <see cref="CanonicalTarget"/> spells it.</param>
    /// <param name="query">Without <c>?</c>.</param>
    public bool TryMatch(
        ReadOnlySpan<char> host, string method, ReadOnlySpan<char> path, ReadOnlySpan<char> query,
        [NotNullWhen(true)] out Route? route, ref Captures captures, ICallHeaders? headers = null)
    {
        route = null;
        var question = new RouteQuestion(method, query, headers);
        if (_byHost.Count > 0 && _lookup.TryGetValue(WithoutPort(host), out var trees)) trees.Find(path, in question, ref route);
        if (route is null) _anyHost.Find(path, in question, ref route);
        return route is not null && (route.Template.Placeholders.Length == 0 || route.Template.TryMatch(path, query, ref captures));
    }

    private static ReadOnlySpan<char> WithoutPort(ReadOnlySpan<char> host)
    {
        var colon = host.LastIndexOf(':');
        return colon < 0 || host[colon..].Contains(']') ? host : host[..colon];
    }

    private sealed class Trees
    {
        private RouteTree? _caseSensitive;
        private RouteTree? _ignoringCase;

        public RouteTree For(bool caseSensitive) =>
            caseSensitive ? _caseSensitive ??= new RouteTree(true) : _ignoringCase ??= new RouteTree(false);

        public void Find(ReadOnlySpan<char> path, in RouteQuestion question, ref Route? best)
        {
            _ignoringCase?.Find(path, in question, ref best);
            _caseSensitive?.Find(path, in question, ref best);
        }
    }
}
