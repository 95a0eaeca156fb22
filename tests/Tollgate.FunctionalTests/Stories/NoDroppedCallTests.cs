using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Tollgate.FunctionalTests.Fragments;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Stories;

/// <summary>
/// Reloads, publishes, drained and killed hosts under load: who calls notices nothing as long as one host is well. All of it real processes.
/// In full size with 100 reloads.
/// </summary>
public sealed class NoDroppedCallTests : IAsyncLifetime
{
    private const int Callers = 12;

    private readonly TempFolder _folder = new();
    private readonly ConcurrentQueue<string> _failures = new();
    private readonly List<ChildProcess> _upstreams = [];
    private readonly int[] _ports = [FreePort.Next(), FreePort.Next(), FreePort.Next()];
    private readonly string[] _internals = [$"http://127.0.0.1:{FreePort.Next()}", $"http://127.0.0.1:{FreePort.Next()}"];
    private readonly HttpClient _operator = new();
    private PublishingSite _site = null!;
    private int _answered;

    public async Task InitializeAsync()
    {
        foreach (var port in _ports) _upstreams.Add(await StartUpstreamAsync(port));
        _site = await PublishingSite.StartAsync(_folder.Write("ocelot.json", Files(0)), more: i => ["--internal", _internals[i]]);
        _operator.DefaultRequestHeaders.Authorization = new("Bearer", _site.Token);
        await PublishAsync(0);
        foreach (var gateway in _site.Gateways)
            await Deadline.UntilAsync("the fragment serves", async () => (await gateway.Http.GetAsync("/orders/current?city=Oslo")).IsSuccessStatusCode);
    }

    public async Task DisposeAsync()
    {
        _operator.Dispose();
        await _site.DisposeAsync();
        foreach (var upstream in _upstreams) await upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Nobody_notices_reloads_publishes_and_hosts_that_drain_and_die()
    {
        using var stop = new CancellationTokenSource();
        var callers = Enumerable.Range(0, Callers).Select(caller => Task.Run(() => CallAsync(caller, stop.Token))).ToArray();

        await Task.WhenAll(ReloadAsync(), PublishAsync(), DrainAndKillAsync());

        await stop.CancelAsync();
        await Task.WhenAll(callers);
        _failures.Take(5).ShouldBeEmpty($"{_failures.Count} of {_answered} calls failed");
        _answered.ShouldBeGreaterThan(500);
        Console.WriteLine($"{TestScale.Of(10, 100)} reloads, 20 publishes, hosts drained and killed: {_answered} calls, {_failures.Count} failed");
        foreach (var gateway in _site.Gateways) gateway.Process.Output.ShouldNotContain("is not used");
    }

    private async Task CallAsync(int caller, CancellationToken stop)
    {
        using var http = new HttpClient { BaseAddress = new Uri(_site.Gateways[caller % _site.Gateways.Count].Url), Timeout = Deadline.Default };
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            var path = (i + caller) % 2 == 0 ? "/files/current?city=Oslo" : "/orders/current?city=Oslo";
            try
            {
                using var answer = await http.GetAsync(path, CancellationToken.None);
                var body = await answer.Content.ReadAsStringAsync(CancellationToken.None);
                if (answer.StatusCode != HttpStatusCode.OK) _failures.Enqueue($"{path}: {(int)answer.StatusCode} {body}");
            }
            catch (Exception lost)
            {
                _failures.Enqueue($"{path}: {lost.Message} {lost.InnerException?.Message}");
            }

            Interlocked.Increment(ref _answered);
        }
    }

    private async Task ReloadAsync()
    {
        for (var i = 1; i <= TestScale.Of(10, 100); i++)
        {
            _folder.Write("next.json", Files(i));
            File.Move(_folder.File("next.json"), _folder.File("ocelot.json"), overwrite: true);
            var calls = _answered;
            await Deadline.UntilAsync("calls were answered", () => Task.FromResult(_answered > calls + 20));
            await Task.Delay(150);    // a reload is noticed after a moment; without it several would be one
        }
    }

    private async Task PublishAsync()
    {
        for (var i = 1; i <= 20; i++)
        {
            await PublishAsync(i);
            var calls = _answered;
            await Deadline.UntilAsync("calls were answered", () => Task.FromResult(_answered > calls + 20));
        }
    }

    // One is drained and then killed, another killed as it stands while the first is away, and each comes back; one is always well.
    private async Task DrainAndKillAsync()
    {
        for (var round = 0; round < 2; round++)
        {
            await OrderAsync("drain", _ports[0]);
            await SomeCallsAsync();
            await _upstreams[0].KillAsync();
            await SomeCallsAsync();
            await _upstreams[1].KillAsync();
            await SomeCallsAsync();
            _upstreams[0] = await StartUpstreamAsync(_ports[0]);
            await OrderAsync("resume", _ports[0]);
            await SomeCallsAsync();
            _upstreams[1] = await StartUpstreamAsync(_ports[1]);
            await SomeCallsAsync();
            await _upstreams[2].KillAsync();
            await SomeCallsAsync();
            _upstreams[2] = await StartUpstreamAsync(_ports[2]);
            await SomeCallsAsync();
        }
    }

    private Task SomeCallsAsync()
    {
        var calls = _answered;
        return Deadline.UntilAsync("calls were answered", () => Task.FromResult(_answered > calls + 60));
    }

    private async Task OrderAsync(string order, int port)
    {
        foreach (var @internal in _internals)
        {
            using var answer = await _operator.PostAsync($"{@internal}/destinations/127.0.0.1:{port}/{order}", null);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        }
    }

    private async Task PublishAsync(int version)
    {
        var fragment = Gateway.Routes.File(Gateway.Routes.Route("/orders/{rest}", "/v1/{rest}", Rotated(version), $"\"Timeout\": {20 + version}"));
        using var answer = await _site.Admin.Http.PutAsync("/api/v1/routes/orders", new StringContent(fragment, Encoding.UTF8, "application/json"));
        ((int)answer.StatusCode).ShouldBeInRange(200, 201, await answer.Content.ReadAsStringAsync());
    }

    private string Files(int version) => Gateway.Routes.File(Gateway.Routes.Route("/files/{rest}", "/v1/{rest}", Rotated(version), $"\"Timeout\": {20 + version}"));

    private int[] Rotated(int by) => [.. _ports.Select((_, i) => _ports[(i + by) % _ports.Length])];

    private static async Task<ChildProcess> StartUpstreamAsync(int port)
    {
        var upstream = ChildProcess.StartDotnet(Programs.Host, ["weather", "--urls", $"http://127.0.0.1:{port}"]);
        using var http = new HttpClient();
        await Deadline.UntilAsync("the upstream answers", async () => (await http.GetAsync($"http://127.0.0.1:{port}/v1/current?city=Oslo")).IsSuccessStatusCode);
        return upstream;
    }
}
