using Tollgate.Gateway.Balancing;
using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.UnitTests.Gateway;

/// <summary>Makes routes and asks tables, for tests.</summary>
internal static class Routing
{
    public static Route Route(string upstream, string downstream = "/", string? host = null, int priority = 1, bool caseSensitive = false, params string[] methods)
    {
        var template = new UpstreamTemplate(upstream, caseSensitive);
        return new Route
        {
            Name = upstream,
            Template = template,
            Downstream = new DownstreamTemplate(downstream, template),
            Methods = new MethodSet(methods),
            Host = host,
            Priority = priority,
            Upstream = new Upstream([new Destination("service", 80, "http")]),
        };
    }

    /// <summary>The address that a call goes to, or null when no route takes it.</summary>
    public static string? Send(Route[] routes, string target, string host = "api.example.com", string method = "GET") =>
        Find(new RouteTable(routes), target, host, method) is var (route, path, query, captures)
            ? route.Downstream.Fill("", path, query, in captures)
            : null;

    public static string? Send(string upstream, string downstream, string target) => Send([Route(upstream, downstream)], target);

    public static (Route Route, string Path, string Query, Captures Captures)? Find(RouteTable table, string target, string host = "api.example.com", string method = "GET")
    {
        CanonicalTarget.TrySplit(target, out var path, out var query).ShouldBeTrue();
        var captures = default(Captures);
        return table.TryMatch(host, method, path, query, out var route, ref captures) ? (route, path, query, captures) : null;
    }
}
