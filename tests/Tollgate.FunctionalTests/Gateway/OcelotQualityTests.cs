using System.Net;
using Microsoft.AspNetCore.Http;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>When a service gets a rest, by ratio and by options of the whole file.</summary>
public sealed class OcelotQualityTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private volatile int _status = 200;
    private StubUpstream _upstream = null!;
    private GatewayProcess _gateway = null!;

    public async Task InitializeAsync()
    {
        _upstream = await StubUpstream.StartAsync(async http =>
        {
            if (http.Request.Path == "/never") await Task.Delay(Timeout.Infinite, http.RequestAborted);
            http.Response.StatusCode = _status;
        });
        _gateway = await GatewayProcess.StartAsync(_folder.Write("ocelot.json", $$"""
            { "Routes": [ {{string.Join(",\n",
                Route("/ratio", "\"QoSOptions\": { \"MinimumThroughput\": 4, \"FailureRatio\": 0.5, \"SamplingDuration\": 60000, \"BreakDuration\": 60000 }"),
                Route("/row", "\"QoSOptions\": { \"MinimumThroughput\": 2, \"BreakDuration\": 60000 }"),
                Route("/old", "\"QoSOptions\": { \"ExceptionsAllowedBeforeBreaking\": 1, \"MinimumThroughput\": 50, \"DurationOfBreak\": 30000, \"BreakDuration\": 1 }"),
                Route("/slow", "\"QoSOptions\": { \"TimeoutValue\": 100, \"Timeout\": 60000, \"MinimumThroughput\": 1, \"BreakDuration\": 60000 }", "/never"),
                Route("/shorter", "\"Timeout\": 1, \"QoSOptions\": { \"Timeout\": 60000 }", "/never"),
                Route("/global", "\"Key\": \"global\""),
                Route("/merged", "\"Key\": \"merged\", \"QoSOptions\": { \"MinimumThroughput\": 3 }"),
                Route("/outside", "\"Key\": \"outside\""))}} ],
              "GlobalConfiguration": { "QoSOptions": { "ExceptionsAllowedBeforeBreaking": 2, "DurationOfBreak": 60000, "RouteKeys": [ "global", "merged" ] } } }
            """));
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_share_of_failures_opens_the_circuit_once_enough_calls_are_in_it()
    {
        await AnswersAsync("/ratio", 200, 500, 200);
        (await StatusAsync("/ratio", 500)).ShouldBe(500);          // the fourth call makes it half of four
        (await StatusAsync("/ratio", 200)).ShouldBe(503);
    }

    [Fact]
    public async Task Failures_count_in_a_row_and_those_of_the_services_alone()
    {
        await AnswersAsync("/row", 500, 200, 508, 404, 500, 499);         // never two in a row
        await AnswersAsync("/row", 500, 501);
        (await StatusAsync("/row", 200)).ShouldBe(503);
    }

    [Fact]
    public async Task An_old_name_counts_before_its_new_one_and_what_it_says_is_taken_as_it_is()
    {
        await AnswersAsync("/old", 500);
        var open = await _gateway.GetAsync("/old");
        await open.ShouldBeProblemAsync(503, "circuit-open");
        open.Headers.RetryAfter!.Delta!.Value.ShouldBeGreaterThan(TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task A_time_out_is_a_failure_and_of_two_the_shorter_counts()
    {
        await (await _gateway.GetAsync("/slow")).ShouldBeProblemAsync(504, "upstream-timeout");
        await (await _gateway.GetAsync("/slow")).ShouldBeProblemAsync(503, "circuit-open");
        await (await _gateway.GetAsync("/shorter")).ShouldBeProblemAsync(504, "upstream-timeout");
    }

    [Theory]
    [InlineData("/global", 2)]
    [InlineData("/merged", 3)]
    public async Task Global_options_are_for_the_routes_that_they_name_and_the_routes_own_win(string target, int failures)
    {
        for (var i = 0; i < failures; i++) (await StatusAsync(target, 503)).ShouldBe(503);
        await (await _gateway.GetAsync(target)).ShouldBeProblemAsync(503, "circuit-open");
        for (var i = 0; i < 5; i++) (await StatusAsync("/outside", 500)).ShouldBe(500);
    }

    private async Task AnswersAsync(string target, params int[] statuses)
    {
        foreach (var status in statuses) (await StatusAsync(target, status)).ShouldBe(status);
    }

    private async Task<int> StatusAsync(string target, int answer)
    {
        _status = answer;
        return (int)(await _gateway.GetAsync(target)).StatusCode;
    }

    private string Route(string template, string more, string downstream = "/") => Routes.Route(template, downstream, _upstream.Port, more);
}
