using Tollgate.Gateway.Balancing;
using BenchmarkDotNet.Attributes;
using Tollgate.Gateway.Policy.Routing;

namespace Tollgate.Benchmarks;

/// <summary>What finding a route costs as routes grow in number: no slower at 10,000 than at 10, and no allocation.</summary>
[MemoryDiagnoser]
public class RoutingBenchmark
{
    private RouteTable _table = null!;
    private string _path = "";

    [Params(10, 10_000)]
    public int Routes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _table = new RouteTable(Enumerable.Range(0, Routes).Select(i =>
        {
            var template = new UpstreamTemplate($"/service{i}/v1/customers/{{customer}}/orders/{{order}}", caseSensitive: false);
            return new Route
            {
                Name = template.Text,
                Template = template,
                Downstream = new DownstreamTemplate("/customers/{customer}/orders/{order}", template),
                Methods = new MethodSet(["GET", "POST"]),
                Upstream = new Upstream([new Destination("service", 80, "http")]),
            };
        }));
        _path = $"/service{Routes / 2}/v1/customers/4711/orders/42";
    }

    [Benchmark]
    public bool Find()
    {
        var captures = default(Captures);
        return _table.TryMatch("api.example.com", "GET", _path, "", out _, ref captures);
    }

    [Benchmark]
    public bool Miss()
    {
        var captures = default(Captures);
        return _table.TryMatch("api.example.com", "GET", "/service/v1/customers/4711/orders/42", "", out _, ref captures);
    }

    [Benchmark]
    public string FindAndFill()
    {
        var captures = default(Captures);
        return _table.TryMatch("api.example.com", "GET", _path, "", out var route, ref captures)
            ? route.Downstream.Fill("http://service:80", _path, "", in captures)
            : "";
    }
}
