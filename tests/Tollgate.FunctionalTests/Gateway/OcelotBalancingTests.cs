using System.Net;
using Microsoft.AspNetCore.Http;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>Where calls go and when a service gets a rest, as an <c>ocelot.json</c> says it.</summary>
public sealed class OcelotBalancingTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile int _status = 200;
    private StubUpstream _first = null!;
    private StubUpstream _second = null!;
    private GatewayProcess _gateway = null!;

    public async Task InitializeAsync()
    {
        _first = await StubUpstream.StartAsync(AnswerAsync);
        _second = await StubUpstream.StartAsync(AnswerAsync);
        int[] both = [_first.Port, _second.Port];
        _gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", $$"""
            { "Routes": [ {{string.Join(",\n",
                Routes.Route("/least/{rest}", "/{rest}", both, "\"LoadBalancerOptions\": { \"Type\": \"LeastConnection\" }"),
                Routes.Route("/sticky", "/", both, "\"LoadBalancerOptions\": { \"Type\": \"CookieStickySessions\", \"Key\": \"sid\", \"Expiry\": 60000 }"),
                Routes.Route("/sticky2/{rest}", "/{rest}", both, "\"LoadBalancerOptions\": { \"Type\": \"CookieStickySessions\", \"Key\": \"sid\", \"Expiry\": 60000 }"),
                Routes.Route("/brief", "/", both, "\"LoadBalancerOptions\": { \"Type\": \"CookieStickySessions\", \"Key\": \"brief\", \"Expiry\": 50 }"),
                Routes.Route("/own", "/", both, "\"Key\": \"own\", \"LoadBalancerOptions\": { \"Type\": \"RoundRobin\" }"),
                Routes.Route("/global", "/", both, "\"Key\": \"global\""),
                Routes.Route("/other", "/", both, "\"LoadBalancerOptions\": { \"Type\": \"MyOwn\" }"),
                Routes.Route("/plain", "/", both),
                Routes.Route("/next", "/", [FreePort.Next(), _second.Port]),
                Routes.Route("/nowhere", "/", _first.Port, "").Replace("127.0.0.1", "http://orders"),
                Routes.Route("/scheme", "/", _first.Port, "").Replace("\"http\"", "\"tcp\""),
                Routes.Route("/breaks", "/", _first.Port, "\"QoSOptions\": { \"ExceptionsAllowedBeforeBreaking\": 2, \"DurationOfBreak\": 60000 }"),
                Routes.Route("/blinks", "/", _first.Port, "\"QoSOptions\": { \"ExceptionsAllowedBeforeBreaking\": 2, \"DurationOfBreak\": 300 }"),
                Routes.Route("/dead", "/", FreePort.Next(), "\"QoSOptions\": { \"MinimumThroughput\": 1, \"BreakDuration\": 60000 }"),
                Routes.Route("/slow", "/slow", _first.Port, "\"QoSOptions\": { \"TimeoutValue\": 200 }"))}} ],
              "GlobalConfiguration": { "LoadBalancerOptions": { "Type": "NoLoadBalancer", "RouteKeys": [ "global", "own" ] } } }
            """));
    }

    public async Task DisposeAsync()
    {
        _release.TrySetResult();
        await _gateway.DisposeAsync();
        await _first.DisposeAsync();
        await _second.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task The_host_with_the_fewest_calls_under_way_has_the_next()
    {
        var held = _gateway.GetAsync("/least/hold");
        await Deadline.UntilAsync("the call is under way", () => Task.FromResult(!_first.Seen.IsEmpty));

        for (var i = 0; i < 3; i++) (await PortAsync("/least/x")).ShouldBe(_second.Port);

        _release.SetResult();
        (await (await held).Content.ReadAsStringAsync()).ShouldBe($"{_first.Port}");
        await Deadline.UntilAsync("the first host has calls again", async () => await PortAsync("/least/x") == _first.Port);
    }

    [Fact]
    public async Task A_session_stays_with_its_host()
    {
        foreach (var (session, port) in new[] { ("a", _first.Port), ("b", _second.Port), ("b", _second.Port), ("a", _first.Port), ("b", _second.Port) })
            (await PortAsync("/sticky", ("Cookie", $"x=y; sid={session}"))).ShouldBe(port, session);
    }

    [Fact]
    public async Task Sessions_are_shared_by_routes_with_one_cookie_and_calls_without_it_take_turns()
    {
        var port = await PortAsync("/sticky2/a", ("Cookie", "sid=shared"));
        for (var i = 0; i < 3; i++) (await PortAsync("/sticky", ("Cookie", "sid=shared"))).ShouldBe(port);

        (await PortAsync("/sticky")).ShouldNotBe(await PortAsync("/sticky"));
        (await _gateway.GetAsync("/sticky", ("Cookie", "sid=shared"))).Headers.Contains("Set-Cookie").ShouldBeFalse("the cookie is the service's own");
    }

    [Fact]
    public async Task A_session_ends_when_nobody_calls()
    {
        // Every call of the session comes after its end, so that it takes its turn like any other.
        var ports = new HashSet<int>();
        await Deadline.UntilAsync("the session has moved", async () =>
        {
            await Task.Delay(60);
            return ports.Add(await PortAsync("/brief", ("Cookie", "brief=a"))) && ports.Count == 2;
        });
    }

    [Fact]
    public async Task Without_a_balancer_the_first_host_that_is_written_has_every_call_while_it_takes_connections()
    {
        for (var i = 0; i < 4; i++) (await PortAsync("/plain")).ShouldBe(_first.Port);
        for (var i = 0; i < 4; i++) (await PortAsync("/next")).ShouldBe(_second.Port);
    }

    [Theory]
    [InlineData("/nowhere", "DownstreamHostAndPorts[0].Host: \"http://orders\"")]
    [InlineData("/scheme", "DownstreamScheme: \"tcp\"")]
    public async Task A_route_that_can_go_nowhere_is_said_at_the_start_and_stops_no_other(string path, string said)
    {
        await (await _gateway.GetAsync(path)).ShouldBeProblemAsync(502, "upstream-unreachable");
        await _gateway.WaitForLineAsync(line => line.Contains(said));
    }

    [Fact]
    public async Task A_global_balancer_is_for_the_routes_that_it_names_and_an_unknown_one_is_said()
    {
        for (var i = 0; i < 3; i++) (await PortAsync("/global")).ShouldBe(_first.Port);
        (await PortAsync("/own")).ShouldNotBe(await PortAsync("/own"), "the route's own wins");
        (await PortAsync("/other")).ShouldNotBe(await PortAsync("/other"));
        await _gateway.WaitForLineAsync(line => line.Contains("LoadBalancerOptions.Type: \"MyOwn\""));
    }

    [Fact]
    public async Task A_service_that_fails_gets_a_rest_and_is_tried_again()
    {
        _status = 500;
        for (var i = 0; i < 2; i++) (await _gateway.GetAsync("/breaks")).StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        var reached = _first.Seen.Count;

        var refused = await _gateway.GetAsync("/breaks");
        await refused.ShouldBeProblemAsync(503, "circuit-open");
        refused.Headers.RetryAfter!.Delta!.Value.ShouldBeInRange(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        _first.Seen.Count.ShouldBe(reached);

        for (var i = 0; i < 2; i++) (await _gateway.GetAsync("/blinks")).StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        _status = 404;    // the caller's mistake, and no failure
        await Deadline.UntilAsync("the service is tried again", async () => (await _gateway.GetAsync("/blinks")).StatusCode == HttpStatusCode.NotFound);
        for (var i = 0; i < 3; i++) (await _gateway.GetAsync("/blinks")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task No_connection_is_a_failure_too_and_a_limit_of_one_means_one()
    {
        await (await _gateway.GetAsync("/dead")).ShouldBeProblemAsync(502, "upstream-unreachable");
        await (await _gateway.GetAsync("/dead")).ShouldBeProblemAsync(503, "circuit-open");
    }

    [Fact]
    public async Task A_time_out_of_its_own_is_kept() => await (await _gateway.GetAsync("/slow")).ShouldBeProblemAsync(504, "upstream-timeout");

    private async Task AnswerAsync(HttpContext http)
    {
        if (http.Request.Path == "/hold") await _release.Task.WaitAsync(Deadline.Default);
        if (http.Request.Path == "/slow") await Task.Delay(Timeout.Infinite, http.RequestAborted);
        http.Response.StatusCode = _status;
        await http.Response.WriteAsync($"{http.Connection.LocalPort}");
    }

    private async Task<int> PortAsync(string target, params (string, string)[] headers) =>
        int.Parse(await (await _gateway.GetAsync(target, headers)).Content.ReadAsStringAsync());
}
