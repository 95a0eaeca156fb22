using System.Net;
using Microsoft.AspNetCore.Http;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Gateway;

/// <summary>Changes of the files while calls are under way.</summary>
public sealed class ReloadTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_hundred_reloads_under_load_cost_no_call_and_each_is_in_force_within_a_second()
    {
        await using var first = await StubUpstream.StartAsync(http => http.Response.WriteAsync("first"));
        await using var second = await StubUpstream.StartAsync(http => http.Response.WriteAsync("second"));
        var config = Write(0, first.Port);
        await using var gateway = await GatewayProcess.StartAsync(config);
        using var stop = new CancellationTokenSource();
        var answered = 0;
        var failures = new System.Collections.Concurrent.ConcurrentQueue<string>();
        var callers = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                try
                {
                    var answer = await gateway.GetAsync("/steady");
                    if (answer.StatusCode != HttpStatusCode.OK) failures.Enqueue($"{answer.StatusCode}");
                    await answer.Content.ReadAsStringAsync();
                    Interlocked.Increment(ref answered);
                }
                catch (HttpRequestException broken)
                {
                    failures.Enqueue(broken.Message);
                }
            }
        })).ToArray();

        var slowest = TimeSpan.Zero;
        for (var i = 1; i <= 100; i++)
        {
            if (i % 10 == 5) File.WriteAllText(config, "{ \"Routes\": [ { ");    // a bad one in between never counts
            Write(i, i % 2 == 0 ? first.Port : second.Port);
            var written = System.Diagnostics.Stopwatch.GetTimestamp();
            await Deadline.UntilAsync($"version {i} is in force", async () => (await gateway.GetAsync($"/v{i}")).StatusCode == HttpStatusCode.OK);
            var took = System.Diagnostics.Stopwatch.GetElapsedTime(written);
            if (took > slowest) slowest = took;
        }

        await Deadline.UntilAsync("there was some load", () => Task.FromResult(Volatile.Read(ref answered) > 100));
        await stop.CancelAsync();
        await Task.WhenAll(callers);
        failures.ShouldBeEmpty();
        Console.WriteLine($"100 reloads: {answered} calls, the slowest reload took {slowest.TotalMilliseconds:F0} ms");
    }

    private string Write(int version, int port)
    {
        // As an editor does that writes beside and renames.
        var text = Routes.File(Routes.Route("/steady", "/", port), Routes.Route($"/v{version}", "/", port));
        File.Move(_folder.Write("ocelot.json.new", text), _folder.File("ocelot.json"), overwrite: true);
        return _folder.File("ocelot.json");
    }
}
