using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>How calls are brought to a host, as the <c>Tollgate</c> block of a route says it, against the executable and real upstreams.</summary>
public sealed class DeliveryTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly ConcurrentDictionary<int, Func<HttpContext, Task>> _behaviour = new();
    private StubUpstream _one = null!;
    private StubUpstream _two = null!;
    private int _dead;
    private volatile bool _ill;
    private GatewayProcess _gateway = null!;
    private HttpClient _internal = null!;

    public async Task InitializeAsync()
    {
        _one = await StubUpstream.StartAsync(AnswerAsync);
        _two = await StubUpstream.StartAsync(AnswerAsync);
        _dead = FreePort.Next();
        int[] both = [_one.Port, _two.Port];
        string Tollgate(string block) => $"\"Tollgate\": {{ {block} }}";
        string HostOf(int port, string more = "") => $$"""{ "Host": "127.0.0.1", "Port": {{port}}{{more}} }""";
        var config = _folder.Write("ocelot.json", Routes.File(
            Routes.Route("/plain", "/", [_dead, _one.Port]),
            Routes.Route("/dead", "/", [_dead]),
            Routes.Route("/weighted", "/", both).Replace($"\"Port\": {_one.Port} }}", $"\"Port\": {_one.Port}, \"Weight\": 3 }}"),
            Routes.Route("/failover", "/", both).Replace($"\"Port\": {_two.Port} }}", $"\"Port\": {_two.Port}, \"Priority\": 1 }}"),
            Routes.Route("/cookie", "/", both, Tollgate("\"LoadBalancing\": { \"Policy\": \"Cookie\", \"CookieName\": \"home\", \"CookieMaxAge\": \"1h\" }")),
            Routes.Route("/hash", "/", both, Tollgate("\"LoadBalancing\": { \"Policy\": \"ConsistentHash\", \"HashBy\": \"Header\", \"HashName\": \"X-User\" }")),
            Routes.Route("/passive", "/", both, Tollgate("\"HealthChecks\": { \"Passive\": { \"Failures\": 2, \"Statuses\": [ 503 ], \"Ejection\": \"10m\" } }")),
            Routes.Route("/active", "/", both, Tollgate("\"HealthChecks\": { \"Active\": { \"Path\": \"/health\", \"Interval\": \"50ms\", \"Timeout\": \"20s\", \"Unhealthy\": 1 } }")),
            Routes.Route("/retry", "/", both, Tollgate("\"Retry\": { \"Attempts\": 2, \"Statuses\": [ 503 ] }")),
            Routes.Route("/same", "/", [_one.Port], Tollgate("\"Retry\": { \"Attempts\": 3, \"Statuses\": [ \"5xx\" ], \"Wait\": \"1ms\" }")),
            Routes.Route("/patient", "/", both, Tollgate("\"Retry\": { \"Attempts\": 2, \"AttemptTimeout\": \"5s\" }")),
            Routes.Route("/hedged", "/", both, Tollgate("\"Hedging\": { \"After\": \"100ms\" }, \"LoadBalancing\": { \"Policy\": \"First\" }")),
            Routes.Route("/total", "/", [_one.Port], Tollgate("\"Timeouts\": { \"Total\": \"500ms\" }")),
            Routes.Route("/whole", "/", [_one.Port], Tollgate("\"Timeouts\": { \"Total\": \"8s\" }")),
            Routes.Route("/activity", "/", [_one.Port], Tollgate("\"Timeouts\": { \"Activity\": \"300ms\" }")),
            Routes.Route("/canary", "/", [_one.Port], Tollgate($"\"Canary\": {{ \"Hosts\": [ {HostOf(_two.Port)} ], \"Header\": \"X-Canary\", \"HeaderValue\": \"yes\" }}")),
            Routes.Route("/split", "/", [_one.Port], Tollgate($"\"Canary\": {{ \"Hosts\": [ {HostOf(_two.Port)} ], \"Percent\": 50 }}")),
            Routes.Route("/mirror", "/{rest}", [_one.Port], Tollgate($"\"Mirror\": {{ \"Hosts\": [ {HostOf(_two.Port)} ] }}")).Replace("\"/mirror\"", "\"/mirror/{rest}\""),
            Routes.Route("/drain", "/", both, "\"LoadBalancerOptions\": { \"Type\": \"RoundRobin\" }")));
        _gateway = await GatewayProcess.StartAsync(config, "--internal", "http://127.0.0.1:0");
        var line = await _gateway.WaitForLineAsync(line => line.StartsWith("Internal on ", StringComparison.Ordinal));
        _internal = new HttpClient { BaseAddress = new Uri(line["Internal on ".Length..]) };
    }

    public async Task DisposeAsync()
    {
        _internal.Dispose();
        await _gateway.DisposeAsync();
        await _one.DisposeAsync();
        await _two.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    [InlineData("PUT")]
    public async Task A_host_that_takes_no_connection_costs_no_call_whatever_the_method(string method)
    {
        for (var i = 0; i < 6; i++)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), "/plain");
            if (method != "GET") request.Content = new StringContent("body");
            using var answer = await _gateway.Client.SendAsync(request);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
            (await answer.Content.ReadAsStringAsync()).ShouldBe($"{_one.Port}{(method == "GET" ? "" : " body")}");
        }
    }

    [Fact]
    public async Task When_no_host_takes_a_connection_the_caller_is_told_when_to_come_back()
    {
        var refused = await _gateway.GetAsync("/dead");
        await refused.ShouldBeProblemAsync(502, "upstream-unreachable");
        refused.Headers.RetryAfter!.Delta.ShouldNotBeNull();
    }

    [Fact]
    public async Task Weights_and_priorities_stand_beside_the_hosts()
    {
        (await PortsAsync("/weighted", 8)).Count(port => port == _one.Port).ShouldBe(6);
        (await PortsAsync("/failover", 4)).ShouldAllBe(port => port == _one.Port);
    }

    [Fact]
    public async Task A_cookie_of_ours_keeps_a_browser_at_its_host()
    {
        var first = await _gateway.GetAsync("/cookie");
        var cookie = first.Headers.GetValues("Set-Cookie").Single();
        cookie.ShouldEndWith("; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600");
        cookie.ShouldNotContain("127.0.0.1");
        var port = int.Parse(await first.Content.ReadAsStringAsync());
        for (var i = 0; i < 3; i++)
        {
            var again = await _gateway.GetAsync("/cookie", ("Cookie", cookie.Split(';')[0]));
            int.Parse(await again.Content.ReadAsStringAsync()).ShouldBe(port);
            again.Headers.Contains("Set-Cookie").ShouldBeFalse();
        }
    }

    [Fact]
    public async Task What_hashes_alike_stays_together()
    {
        foreach (var user in new[] { "ada", "bob", "cleo", "dan", "eve", "fay", "gus", "hal" })
            (await PortsAsync("/hash", 3, ("X-User", user))).Distinct().Count().ShouldBe(1);
    }

    [Fact]
    public async Task A_host_that_fails_in_a_row_is_left_alone()
    {
        _behaviour[_one.Port] = http => Status(http, 503);
        await PortsAsync("/passive", 4);
        (await PortsAsync("/passive", 6)).ShouldAllBe(port => port == _two.Port);
        (await StateAsync(_one.Port)).ShouldBe("ejected");
    }

    [Fact]
    public async Task A_host_that_says_it_is_ill_has_no_calls_until_it_is_well()
    {
        _ill = true;
        await Deadline.UntilAsync("the host is found ill", async () => await StateAsync(_one.Port) == "unhealthy");
        (await PortsAsync("/active", 6)).ShouldAllBe(port => port == _two.Port);

        _ill = false;
        await Deadline.UntilAsync("the host has calls again", async () => (await PortsAsync("/active", 2)).Contains(_one.Port));
    }

    [Fact]
    public async Task An_answer_of_the_list_is_tried_elsewhere_where_being_done_twice_does_no_harm()
    {
        _behaviour[_one.Port] = http => Status(http, 503);
        for (var i = 0; i < 4; i++) (await _gateway.GetAsync("/retry")).StatusCode.ShouldBe(HttpStatusCode.OK);
        using var put = await _gateway.Client.PutAsync("/retry", new StringContent("whole"));
        (await put.Content.ReadAsStringAsync()).ShouldBe($"{_two.Port} whole");
        using var again = await _gateway.Client.PutAsync("/retry", new StringContent("whole"));
        (await again.Content.ReadAsStringAsync()).ShouldBe($"{_two.Port} whole");

        var posts = new List<HttpStatusCode>();
        for (var i = 0; i < 2; i++) posts.Add((await _gateway.Client.PostAsync("/retry", new StringContent("x"))).StatusCode);
        posts.ShouldContain(HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task A_single_host_is_tried_again_if_the_route_says_so()
    {
        var seen = 0;
        _behaviour[_one.Port] = http => Interlocked.Increment(ref seen) < 3 ? Status(http, 500) : PlainAsync(http);
        (await _gateway.GetAsync("/same")).StatusCode.ShouldBe(HttpStatusCode.OK);
        seen.ShouldBe(3);
    }

    [Fact]
    public async Task A_try_that_takes_too_long_is_given_up_for_another_host()
    {
        _behaviour[_one.Port] = http => Task.Delay(Timeout.Infinite, http.RequestAborted);
        for (var i = 0; i < 2; i++) (await (await _gateway.GetAsync("/patient")).Content.ReadAsStringAsync()).ShouldBe($"{_two.Port}");
    }

    [Fact]
    public async Task A_slow_host_is_hedged_and_the_first_good_answer_counts()
    {
        var given = new TaskCompletionSource();
        _behaviour[_one.Port] = async http =>
        {
            await Task.Delay(Timeout.Infinite, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            given.TrySetResult();
        };
        (await (await _gateway.GetAsync("/hedged")).Content.ReadAsStringAsync()).ShouldBe($"{_two.Port}");
        await given.Task.WaitAsync(Deadline.Default);
        await Deadline.UntilAsync("no call is under way", async () => await RunningAsync(_one.Port) == 0 && await RunningAsync(_two.Port) == 0);
    }

    [Fact]
    public async Task Time_is_kept_for_the_whole_call_and_for_silence()
    {
        _behaviour[_one.Port] = http => Task.Delay(Timeout.Infinite, http.RequestAborted);
        await (await _gateway.GetAsync("/total")).ShouldBeProblemAsync(504, "upstream-timeout");
        await (await _gateway.GetAsync("/activity")).ShouldBeProblemAsync(504, "upstream-timeout");

        _behaviour[_one.Port] = async http =>
        {
            await http.Response.WriteAsync("begun");
            await http.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, http.RequestAborted);
        };
        var answer = await _gateway.GetAsync("/whole");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        await Should.ThrowAsync<Exception>(() => answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_canary_has_the_calls_with_its_header_or_its_share()
    {
        (await PortsAsync("/canary", 3)).ShouldAllBe(port => port == _one.Port);
        (await PortsAsync("/canary", 3, ("X-Canary", "yes"))).ShouldAllBe(port => port == _two.Port);
        (await PortsAsync("/canary", 3, ("X-Canary", "no"))).ShouldAllBe(port => port == _one.Port);
        (await PortsAsync("/split", 60)).Distinct().Count().ShouldBe(2);
    }

    [Fact]
    public async Task A_mirror_gets_a_copy_and_nobody_waits_for_it()
    {
        var bodies = new ConcurrentQueue<string>();
        var held = new TaskCompletionSource();
        _behaviour[_two.Port] = async http =>
        {
            using var reader = new StreamReader(http.Request.Body);
            bodies.Enqueue($"{http.Request.Method} {http.Request.Path} {await reader.ReadToEndAsync()}");
            await held.Task;
        };
        using var answer = await _gateway.Client.PostAsync("/mirror/a/b", new StringContent("payload"));
        (await answer.Content.ReadAsStringAsync()).ShouldBe($"{_one.Port} payload");
        (await _gateway.GetAsync("/mirror/c")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await Deadline.UntilAsync("both copies came", () => Task.FromResult(bodies.Count == 2));
        bodies.Order().ShouldBe(["GET /c ", "POST /a/b payload"]);
        held.SetResult();
        await Deadline.UntilAsync("the copies are done", async () => await RunningAsync(_two.Port) == 0);
    }

    [Fact]
    public async Task An_order_to_drain_outlives_the_process_where_it_has_a_disk()
    {
        using var data = new TempFolder();
        var config = data.Write("ocelot.json", Routes.File(Routes.Route("/", "/", [_one.Port, _two.Port], "\"LoadBalancerOptions\": { \"Type\": \"RoundRobin\" }")));
        string[] options = ["--data", data.File("data"), "--internal", "http://127.0.0.1:0"];
        await using (var first = await GatewayProcess.StartAsync(config, options))
        {
            using var orders = new HttpClient { BaseAddress = await first.InternalAddressAsync() };
            (await orders.PostAsync($"/destinations/127.0.0.1:{_one.Port}/drain", null)).StatusCode.ShouldBe(HttpStatusCode.OK);
            await first.KillAsync();
        }

        await using (var second = await GatewayProcess.StartAsync(config, options))
        {
            for (var i = 0; i < 4; i++) (await (await second.GetAsync("/")).Content.ReadAsStringAsync()).ShouldBe($"{_two.Port}");
            using var orders = new HttpClient { BaseAddress = await second.InternalAddressAsync() };
            (await orders.PostAsync($"/destinations/127.0.0.1:{_one.Port}/resume", null)).StatusCode.ShouldBe(HttpStatusCode.OK);
            await second.KillAsync();
        }

        await using var third = await GatewayProcess.StartAsync(config, options);
        var ports = new List<string>();
        for (var i = 0; i < 4; i++) ports.Add(await (await third.GetAsync("/")).Content.ReadAsStringAsync());
        ports.Distinct().Count().ShouldBe(2);
    }

    [Fact]
    public async Task A_host_that_drains_has_no_new_calls_and_those_under_way_end()
    {
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _behaviour[_one.Port] = async http =>
        {
            await held.Task;
            await PlainAsync(http);
        };
        _behaviour[_two.Port] = _behaviour[_one.Port];
        var running = new[] { _gateway.GetAsync("/drain"), _gateway.GetAsync("/drain") };
        await Deadline.UntilAsync("both calls are under way", async () => await RunningAsync(_one.Port) == 1 && await RunningAsync(_two.Port) == 1);

        using (var drained = await _internal.PostAsync($"/destinations/127.0.0.1:{_one.Port}/drain", null)) drained.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await StateAsync(_one.Port)).ShouldBe("draining");
        (await RunningAsync(_one.Port)).ShouldBe(1);
        held.SetResult();
        foreach (var call in running) (await call).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await PortsAsync("/drain", 4)).ShouldAllBe(port => port == _two.Port);
        await Deadline.UntilAsync("nothing runs there", async () => await RunningAsync(_one.Port) == 0);

        (await _internal.PostAsync($"/destinations/127.0.0.1:{_two.Port}/drain", null)).StatusCode.ShouldBe(HttpStatusCode.OK);
        var refused = await _gateway.GetAsync("/drain");
        await refused.ShouldBeProblemAsync(503, "not-ready");
        (await _internal.PostAsync($"/destinations/127.0.0.1:{_one.Port}/resume", null)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await PortsAsync("/drain", 2)).ShouldAllBe(port => port == _one.Port);
        (await _internal.PostAsync("/destinations/nobody:1/drain", null)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task What_is_written_wrong_is_said_with_line_and_property()
    {
        var file = _folder.Write("wrong.json", """
            { "Routes": [ { "UpstreamPathTemplate": "/x", "DownstreamPathTemplate": "/", "DownstreamHostAndPorts": [ { "Host": "a", "Weight": 0 } ],
              "Tollgate": {
                "LoadBalancing": { "Policy": "LeastRequest" },
                "Retry": { "Attempts": 99, "Statuses": [ "6xx" ] },
                "Timeouts": { "Connect": "10" },
                "Canary": { "Percent": 5 }
              } } ] }
            """);
        await using var refused = GatewayProcess.Launch("--config", file, "--urls", "http://127.0.0.1:0");
        (await refused.WaitForExitAsync()).ShouldNotBe(0);
        foreach (var said in new[]
                 {
                     "wrong.json:1 Routes[0].DownstreamHostAndPorts[0].Weight", "wrong.json:3 Routes[0].Tollgate.LoadBalancing.Policy: \"LeastRequest\" is none of", "Did you mean LeastRequests?",
                     "wrong.json:4 Routes[0].Tollgate.Retry.Attempts", "Routes[0].Tollgate.Retry.Statuses: \"6xx\"", "wrong.json:5 Routes[0].Tollgate.Timeouts.Connect: expected a duration",
                     "wrong.json:6 Routes[0].Tollgate.Canary.Hosts: at least one host",
                 })
            refused.Output.ShouldContain(said);
    }

    private Task AnswerAsync(HttpContext http) =>
        http.Request.Path == "/health" ? Status(http, _ill && http.Connection.LocalPort == _one.Port ? 500 : 200)
        : _behaviour.TryGetValue(http.Connection.LocalPort, out var behaviour) ? behaviour(http) : PlainAsync(http);

    private static async Task PlainAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        var body = await reader.ReadToEndAsync();
        await http.Response.WriteAsync($"{http.Connection.LocalPort}{(body.Length > 0 ? " " + body : "")}");
    }

    private static Task Status(HttpContext http, int status)
    {
        http.Response.StatusCode = status;
        return http.Response.WriteAsync($"{http.Connection.LocalPort}");
    }

    private async Task<List<int>> PortsAsync(string target, int calls, params (string, string)[] headers)
    {
        var ports = new List<int>();
        for (var i = 0; i < calls; i++) ports.Add(int.Parse(await (await _gateway.GetAsync(target, headers)).Content.ReadAsStringAsync()));
        return ports;
    }

    private async Task<JsonElement> FactsAsync(int port) =>
        (await _internal.GetFromJsonAsync<JsonElement>("/destinations")).GetProperty("destinations").EnumerateArray().First(host => host.GetProperty("host").GetString() == $"127.0.0.1:{port}");

    private async Task<string> StateAsync(int port) => (await FactsAsync(port)).GetProperty("state").GetString()!;

    private async Task<int> RunningAsync(int port) => (await FactsAsync(port)).GetProperty("running").GetInt32();
}
