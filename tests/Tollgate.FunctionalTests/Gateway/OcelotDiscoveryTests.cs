using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>Services that an <c>ocelot.json</c> names and somebody else knows the hosts of.</summary>
public sealed class OcelotDiscoveryTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly ConcurrentDictionary<string, int[]> _known = new();
    private StubUpstream _first = null!;
    private StubUpstream _second = null!;
    private StubUpstream _consul = null!;

    public async Task InitializeAsync()
    {
        _first = await StubUpstream.StartAsync(http => http.Response.WriteAsync($"first {http.Request.Path}{http.Request.QueryString}"));
        _second = await StubUpstream.StartAsync(http => http.Response.WriteAsync($"second {http.Request.Path}{http.Request.QueryString}"));
        _consul = await StubUpstream.StartAsync(async http =>
        {
            const string prefix = "/v1/health/service/";
            if (http.Request.Path.Value!.StartsWith(prefix, StringComparison.Ordinal) is false)
            {
                http.Response.StatusCode = 404;
                return;
            }

            var ports = _known.GetValueOrDefault(http.Request.Path.Value[prefix.Length..]) ?? [];
            await http.Response.WriteAsync(JsonSerializer.Serialize(ports.Select(port => new { Node = new { Node = "n", Address = "127.0.0.1" }, Service = new { Address = "", Port = port } })));
        });
    }

    public async Task DisposeAsync()
    {
        await _first.DisposeAsync();
        await _second.DisposeAsync();
        await _consul.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("Consul", "")]
    [InlineData("PollConsul", ", \"PollingInterval\": 100")]
    public async Task Consul_says_where_a_service_runs_and_a_change_is_followed(string type, string more)
    {
        _known["orders"] = [_first.Port];
        await using var gateway = await StartAsync(type, more, Named("orders", "/orders/{rest}", "/v2/{rest}"), Named("nowhere", "/nowhere", "/"));

        await UntilKnownAsync(gateway, "/orders/7");
        (await TextAsync(gateway, "/orders/7?x=1")).ShouldBe("first /v2/7?x=1");
        var asked = _consul.Seen.First(call => call.Target.StartsWith("/v1/health/service/orders", StringComparison.Ordinal));
        asked.Target.ShouldContain("passing");
        asked.Headers["X-Consul-Token"].ShouldBe("secret");
        await (await gateway.GetAsync("/nowhere")).ShouldBeProblemAsync(503, "not-ready");

        _known["orders"] = [_second.Port];
        var changed = System.Diagnostics.Stopwatch.GetTimestamp();
        await Deadline.UntilAsync("calls go to the new host", async () => await TextAsync(gateway, "/orders/7") == "second /v2/7");
        Console.WriteLine($"{type}: the new host had its first call after {System.Diagnostics.Stopwatch.GetElapsedTime(changed).TotalMilliseconds:F0} ms");

        // With Consul away, what was known last is used.
        await _consul.DisposeAsync();
        await gateway.WaitForLineAsync(line => line.Contains("cannot be found out"));
        (await TextAsync(gateway, "/orders/7")).ShouldBe("second /v2/7");
    }

    [Fact]
    public async Task Several_hosts_of_a_service_take_turns()
    {
        _known["orders"] = [_first.Port, _second.Port];
        await using var gateway = await StartAsync("Consul", "", Named("orders", "/o", "/", "\"LoadBalancerOptions\": { \"Type\": \"RoundRobin\" }"));

        await UntilKnownAsync(gateway, "/o");
        var seen = new List<string>();
        for (var i = 0; i < 4; i++) seen.Add((await TextAsync(gateway, "/o"))[..5]);
        seen.Distinct().Count().ShouldBe(2);
        seen[0].ShouldBe(seen[2]);
    }

    [Fact]
    public async Task Without_routes_the_first_segment_names_the_service()
    {
        _known["orders"] = [_first.Port];
        var config = _folder.Write("ocelot.json", $$"""
            { "DynamicRoutes": [ { "ServiceName": "limited", "RateLimitRule": { "Limit": 1, "Period": "1h" } } ],
              "GlobalConfiguration": { "DownstreamScheme": "http", "RateLimitOptions": { "ClientIdHeader": "X-Client" },
                "ServiceDiscoveryProvider": { "Type": "Consul", "Host": "127.0.0.1", "Port": {{_consul.Port}} } } }
            """);
        await using var gateway = await GatewayProcess.StartAsync(config);

        await UntilKnownAsync(gateway, "/orders/a");
        (await TextAsync(gateway, "/orders/a/b?c=d")).ShouldBe("first /a/b?c=d");
        (await TextAsync(gateway, "/orders")).ShouldBe("first /");
        await (await gateway.GetAsync("/unknown/a")).ShouldBeProblemAsync(404, "unknown-route");

        _known["later"] = [_second.Port];
        await Deadline.UntilAsync("the later service is found", async () => await TextAsync(gateway, "/later/x") == "second /x");
        _known["limited"] = [_first.Port];
        await Deadline.UntilAsync("the written service is found", async () => (await gateway.GetAsync("/limited/x", ("X-Client", Guid.NewGuid().ToString()))).StatusCode == HttpStatusCode.OK);
        (await gateway.GetAsync("/limited/x", ("X-Client", "a"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await gateway.GetAsync("/limited/x", ("X-Client", "a"))).StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
    }

    [Fact]
    public async Task Service_Fabric_has_the_services_name_before_the_path()
    {
        await using var gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", $$"""
            { "Routes": [ {{Named("App/Orders", "/orders/{rest}", "/api/{rest}")}}, {{Named("App/{tenant}", "/t/{tenant}/{rest}", "/{rest}")}} ],
              "GlobalConfiguration": { "ServiceDiscoveryProvider": { "Type": "ServiceFabric", "Host": "127.0.0.1", "Port": {{_first.Port}} } } }
            """));

        (await TextAsync(gateway, "/orders/7?a=b")).ShouldBe("first /App/Orders/api/7?a=b");
        (await TextAsync(gateway, "/t/acme/x")).ShouldBe("first /App/acme/x");
    }

    [Fact]
    public async Task A_name_server_says_where_a_service_runs()
    {
        using var names = new NameServer();
        names.Services["_http._tcp.orders.example"] = ("h1.example", _first.Port);
        names.Addresses["h1.example"] = "127.0.0.1";
        names.Addresses["plain.example"] = "127.0.0.1";
        await using var gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", $$"""
            { "Routes": [ {{Named("_http._tcp.orders.example", "/orders", "/")}}, {{Named($"plain.example:{_second.Port}", "/plain", "/")}} ],
              "GlobalConfiguration": { "ServiceDiscoveryProvider": { "Type": "Dns", "Host": "127.0.0.1", "Port": {{names.Port}}, "PollingInterval": 100 } } }
            """));

        await UntilKnownAsync(gateway, "/orders");
        await UntilKnownAsync(gateway, "/plain");
        (await TextAsync(gateway, "/orders")).ShouldBe("first /");
        (await TextAsync(gateway, "/plain")).ShouldBe("second /");

        names.Services["_http._tcp.orders.example"] = ("h1.example", _second.Port);
        await Deadline.UntilAsync("calls go to the new host", async () => await TextAsync(gateway, "/orders") == "second /");
    }

    [Theory]
    [InlineData("PollKube", "/api/v1/namespaces/shop/endpoints/orders", """{ "subsets": [ { "addresses": [ { "ip": "127.0.0.1" } ], "ports": [ { "port": PORT } ] } ] }""")]
    [InlineData("watchkube", "/api/v1/namespaces/shop/endpoints/orders", """{ "subsets": [ { "addresses": [ { "ip": "127.0.0.1" } ], "ports": [ { "port": PORT } ] } ] }""")]
    [InlineData("Kube", "/api/v1/namespaces/shop/endpoints/orders", """{ "subsets": [ { "addresses": [ { "ip": "127.0.0.1" } ], "ports": [ { "name": "http", "port": PORT } ] } ] }""")]
    [InlineData("Eureka", "/eureka/apps/orders", """{ "application": { "name": "ORDERS", "instance": [ { "ipAddr": "127.0.0.1", "status": "UP", "port": { "$": PORT, "@enabled": "true" } }, { "ipAddr": "127.0.0.1", "status": "DOWN", "port": { "$": 1 } } ] } }""")]
    public async Task Kubernetes_and_Eureka_are_asked_over_their_own_interfaces(string type, string path, string answer)
    {
        await using var registry = await StubUpstream.StartAsync(http => http.Request.Path == path
            ? http.Response.WriteAsync(answer.Replace("PORT", $"{_first.Port}"))
            : Task.CompletedTask);
        await using var gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", $$"""
            { "Routes": [ {{Named("orders", "/orders", "/")}} ],
              "GlobalConfiguration": { "ServiceDiscoveryProvider": { "Type": "{{type}}", "Scheme": "http", "Host": "127.0.0.1", "Port": {{registry.Port}}, "Namespace": "shop", "Token": "secret" } } }
            """));

        await UntilKnownAsync(gateway, "/orders");
        (await TextAsync(gateway, "/orders")).ShouldBe("first /");
    }

    [Fact]
    public async Task A_namespace_of_the_route_goes_before_the_files_and_stands_before_the_name_where_no_route_is_written()
    {
        _known["orders"] = [_first.Port];
        await using (var gateway = await StartAsync("Consul", ", \"Namespace\": \"shop\"", Named("orders", "/a", "/"), Named("orders", "/b", "/", "\"ServiceNamespace\": \"own\"")))
        {
            foreach (var path in new[] { "/a", "/b" })
            {
                await UntilKnownAsync(gateway, path);
                (await TextAsync(gateway, path)).ShouldBe("first /");
            }

            _consul.Seen.ShouldContain(call => call.Target.Contains("ns=shop"));
            _consul.Seen.ShouldContain(call => call.Target.Contains("ns=own"));
        }

        await using var dynamic = await StartAsync("Consul", "");
        await UntilKnownAsync(dynamic, "/own.orders/x");
        (await TextAsync(dynamic, "/own.orders/x")).ShouldBe("first /x");
        _consul.Seen.Last(call => call.Target.StartsWith("/v1/health/service/orders", StringComparison.Ordinal)).Target.ShouldContain("ns=own");
    }

    [Fact]
    public async Task Options_of_the_whole_file_are_for_services_without_routes_too()
    {
        var h2 = FreePort.Next();
        await using var modern = await SpeakingAsync(h2);
        _known["modern"] = [h2];
        _known["own"] = [h2];
        _known["limited"] = [_first.Port];
        await using var gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", $$"""
            { "DynamicRoutes": [ { "Key": "own", "ServiceName": "own", "DownstreamHttpVersion": "1.1", "DownstreamHttpVersionPolicy": "RequestVersionExact" },
                { "Key": "limited", "ServiceName": "limited", "DownstreamHttpVersion": "1.1", "DownstreamHttpVersionPolicy": "RequestVersionOrLower", "AuthenticationOptions": { "AllowAnonymous": true } } ],
              "GlobalConfiguration": { "DownstreamScheme": "http", "DownstreamHttpVersion": "2.0", "DownstreamHttpVersionPolicy": "RequestVersionExact",
                "AuthenticationOptions": { "AuthenticationProviderKeys": [ "Key1" ] }, "RateLimitOptions": { "RouteKeys": [ "limited" ], "Limit": 1, "Period": "1h" },
                "ServiceDiscoveryProvider": { "Type": "Consul", "Host": "127.0.0.1", "Port": {{_consul.Port}} } },
              {{Tokens.Provider}} }
            """));

        await Deadline.UntilAsync("the service is known", async () => (int)(await gateway.GetAsync("/modern/x")).StatusCode == 401);
        await UntilKnownAsync(gateway, "/own/x", Tokens.Bearer(new { sub = "a" }));
        await UntilKnownAsync(gateway, "/limited/x", ("Oc-Client", "other"));
        (await (await gateway.GetAsync("/modern/x", Tokens.Bearer(new { sub = "a" }))).Content.ReadAsStringAsync()).ShouldBe("HTTP/2");
        (await gateway.GetAsync("/own/x", Tokens.Bearer(new { sub = "a" }))).StatusCode.ShouldBe(HttpStatusCode.BadRequest, "what a service that speaks HTTP/2 alone answers to HTTP/1.1");
        (await gateway.GetAsync("/limited/x", ("Oc-Client", "c"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await gateway.GetAsync("/limited/x", ("Oc-Client", "c"))).StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
    }

    private static async Task<WebApplication> SpeakingAsync(int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(port, listen => listen.Protocols = Microsoft.AspNetCore.Server.Kestrel.Core.HttpProtocols.Http2));
        var app = builder.Build();
        app.Run(http => http.Response.WriteAsync(http.Request.Protocol));
        await app.StartAsync();
        return app;
    }

    private static string Named(string service, string upstream, string downstream, string more = "") => $$"""
        { "UpstreamPathTemplate": "{{upstream}}", "DownstreamPathTemplate": "{{downstream}}", "DownstreamScheme": "http", "ServiceName": "{{service}}"{{(more.Length > 0 ? ", " + more : "")}} }
        """;

    private Task<GatewayProcess> StartAsync(string type, string more, params string[] routes) => GatewayProcess.StartAsync(_folder.Write("ocelot.json", $$"""
        { "Routes": [ {{string.Join(", ", routes)}} ],
          "GlobalConfiguration": { "ServiceDiscoveryProvider": { "Type": "{{type}}", "Scheme": "http", "Host": "127.0.0.1", "Port": {{_consul.Port}}, "Token": "secret"{{more}} } } }
        """));

    // A call waits for the registry's answer, but not as long as a busy machine may need.
    private static Task UntilKnownAsync(GatewayProcess gateway, string target, params (string, string)[] headers) => Deadline.UntilAsync($"the service behind {target} is known", async () =>
        (await gateway.GetAsync(target, headers)).StatusCode is not (HttpStatusCode.NotFound or HttpStatusCode.ServiceUnavailable));

    private static async Task<string> TextAsync(GatewayProcess gateway, string target) => await (await gateway.GetAsync(target)).Content.ReadAsStringAsync();

    /// <summary>Answers A and SRV questions over UDP.</summary>
    private sealed class NameServer : IDisposable
    {
        private readonly UdpClient _socket = new(new IPEndPoint(IPAddress.Loopback, 0));

        public NameServer() => _ = Task.Run(RunAsync);

        public ConcurrentDictionary<string, (string Host, int Port)> Services { get; } = new();
        public ConcurrentDictionary<string, string> Addresses { get; } = new();
        public int Port => ((IPEndPoint)_socket.Client.LocalEndPoint!).Port;

        public void Dispose() => _socket.Dispose();

        private async Task RunAsync()
        {
            try
            {
                while (true)
                {
                    var question = await _socket.ReceiveAsync();
                    await _socket.SendAsync(Answer(question.Buffer), question.RemoteEndPoint);
                }
            }
            catch (Exception closed) when (closed is ObjectDisposedException or SocketException)
            {
                // The test is over.
            }
        }

        private byte[] Answer(byte[] question)
        {
            var labels = new List<string>();
            var at = 12;
            for (; question[at] != 0; at += question[at] + 1) labels.Add(Encoding.ASCII.GetString(question, at + 1, question[at]));
            var name = string.Join('.', labels);
            var type = BinaryPrimitives.ReadUInt16BigEndian(question.AsSpan(at + 1));
            var data = type switch
            {
                33 when Services.TryGetValue(name, out var service) => [0, 0, 0, 1, (byte)(service.Port >> 8), (byte)service.Port, .. Labels(service.Host)],
                1 when Addresses.TryGetValue(name, out var address) => IPAddress.Parse(address).GetAddressBytes(),
                _ => null,
            };
            var answer = new List<byte>(question[..(at + 5)]);
            (answer[2], answer[3], answer[7]) = (0x84, data is null ? (byte)3 : (byte)0, data is null ? (byte)0 : (byte)1);
            if (data is not null) answer.AddRange([0xC0, 12, 0, (byte)type, 0, 1, 0, 0, 0, 1, 0, (byte)data.Length, .. data]);
            return [.. answer];
        }

        private static byte[] Labels(string name) => [.. name.Split('.').SelectMany(label => (byte[])[(byte)label.Length, .. Encoding.ASCII.GetBytes(label)]), 0];
    }
}
