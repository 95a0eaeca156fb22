using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Tollgate.FunctionalTests.Fragments;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Stories;

/// <summary>
/// Many services publish their routes at the same time while calls are under way, and one of them publishes nonsense: no call fails, and nobody waits for the
/// one that is broken. In full size 20 services publish 100 times each.
/// </summary>
public sealed class ManyPublishersTests : IAsyncLifetime
{
    private const int Callers = 4;

    private readonly TempFolder _folder = new();
    private readonly ConcurrentQueue<string> _failures = new();
    private readonly ConcurrentBag<double> _effectMs = [];
    private readonly int _services = TestScale.Of(5, 20);
    private readonly int _publishes = TestScale.Of(4, 100);
    private StubUpstream _upstream = null!;
    private PublishingSite _site = null!;
    private int _answered;

    public async Task InitializeAsync()
    {
        _upstream = await StubUpstream.StartAsync(http => http.Response.WriteAsync(http.Features.Get<IHttpRequestFeature>()!.RawTarget));
        var files = _folder.Write("ocelot.json", Gateway.Routes.File(Gateway.Routes.Route("/files/{rest}", "/files/{rest}", _upstream.Port)));
        _site = await PublishingSite.StartAsync(files, await (await PostgresServer.SharedAsync()).NewDatabaseAsync());
    }

    public async Task DisposeAsync()
    {
        await _site.DisposeAsync();
        await _upstream.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Many_services_publish_at_once_and_a_broken_one_is_in_nobodys_way()
    {
        using var stop = new CancellationTokenSource();
        await Task.WhenAll(Enumerable.Range(0, _services).Select(service => PublishAsync(service, 0)));
        var callers = Enumerable.Range(0, Callers).Select(caller => Task.Run(() => CallAsync(caller, stop.Token))).Append(Task.Run(() => DisturbAsync(stop.Token))).ToArray();

        await Task.WhenAll(Enumerable.Range(0, _services).Select(async service =>
        {
            for (var version = 1; version <= _publishes; version++) await PublishAsync(service, version);
        }));

        await Deadline.UntilAsync("there was some load", () => Task.FromResult(Volatile.Read(ref _answered) > 100));
        await stop.CancelAsync();
        await Task.WhenAll(callers);
        _failures.Take(5).ShouldBeEmpty($"{_failures.Count} of {_answered} calls failed");
        var effects = _effectMs.Order().ToArray();
        Console.WriteLine($"{_services} services x {_publishes} publishes: {_answered} calls, {_failures.Count} failed; in force on both gateways after {effects[effects.Length / 2]:F0} ms (median), " +
            $"{effects[(int)(effects.Length * 0.99)]:F0} ms (99 %), {effects[^1]:F0} ms (worst)");
    }

    // From the answer of the management API to the new routes on every gateway.
    private async Task PublishAsync(int service, int version)
    {
        var fragment = Gateway.Routes.File(Gateway.Routes.Route($"/s{service}/{{rest}}", $"/s{service}/v{version}/{{rest}}", _upstream.Port));
        using var answer = await _site.Admin.Http.PutAsync($"/api/v1/routes/s{service}", new StringContent(fragment, Encoding.UTF8, "application/json"));
        ((int)answer.StatusCode).ShouldBeInRange(200, 201, await answer.Content.ReadAsStringAsync());
        var published = Stopwatch.GetTimestamp();
        await Task.WhenAll(_site.Gateways.Select(gateway => Deadline.UntilAsync($"version {version} of s{service} serves", async () => await gateway.Http.GetStringAsync($"/s{service}/x") == $"/s{service}/v{version}/x")));
        if (version > 0) _effectMs.Add(Stopwatch.GetElapsedTime(published).TotalMilliseconds);
    }

    private async Task CallAsync(int caller, CancellationToken stop)
    {
        using var http = new HttpClient { BaseAddress = new Uri(_site.Gateways[caller % _site.Gateways.Count].Url), Timeout = Deadline.Default };
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            var path = i % 3 == 0 ? "/files/x" : $"/s{(i + caller) % _services}/x";
            try
            {
                using var answer = await http.GetAsync(path, CancellationToken.None);
                if (answer.StatusCode != HttpStatusCode.OK) _failures.Enqueue($"{path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(CancellationToken.None)}");
            }
            catch (Exception lost)
            {
                _failures.Enqueue($"{path}: {lost.Message} {lost.InnerException?.Message}");
            }

            Interlocked.Increment(ref _answered);
        }
    }

    // Broken JSON, somebody else's path, and one that only a gateway can know to be taken: by its files.
    private async Task DisturbAsync(CancellationToken stop)
    {
        string[] fragments = ["{ \"Routes\": [ {", Gateway.Routes.File(Gateway.Routes.Route("/s0/stolen/{x}", "/", 1)), Gateway.Routes.File(Gateway.Routes.Route("/files/{x}", "/stolen", 1))];
        HttpStatusCode[] expected = [HttpStatusCode.UnprocessableEntity, HttpStatusCode.Conflict, HttpStatusCode.OK];
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            using var answer = await _site.Admin.Http.PutAsync("/api/v1/routes/broken", new StringContent(fragments[i % 3], Encoding.UTF8, "application/json"), CancellationToken.None);
            if (answer.StatusCode != expected[i % 3] && answer.StatusCode != HttpStatusCode.Created) _failures.Enqueue($"the broken fragment {i % 3} was answered with {(int)answer.StatusCode}");
            await Task.Delay(50, CancellationToken.None);    // a rhythm, not a wait for anything
        }
    }
}
