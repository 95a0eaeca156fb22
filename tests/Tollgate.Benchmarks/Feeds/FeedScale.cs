using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Gateway.Feeds;
using Tollgate.Gateway.Policy.Credentials;
using Tollgate.Gateway.Policy.Plans;

namespace Tollgate.Benchmarks.Feeds;

/// <summary>
/// A million keys and a hundred thousand subscriptions through the real feed: over HTTP, from disk, and what a single change takes.
/// <c>dotnet run -c Release --project tests/Tollgate.Benchmarks -- feeds [keys] [subscriptions]</c>.
/// </summary>
internal static class FeedScale
{
    private const string Epoch = "scale";
    private const int Changes = 500;

    public static async Task<int> RunAsync(string[] args)
    {
        var keys = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1_000_000;
        var subscriptions = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 100_000;
        var folder = Directory.CreateTempSubdirectory("tollgate-feeds-").FullName;
        try
        {
            var (known, apps) = Write(folder, keys, subscriptions);
            Console.WriteLine($"{keys:N0} keys of {apps.Length:N0} applications, {subscriptions:N0} subscriptions: {new FileInfo(Path.Combine(folder, "credentials")).Length >> 20} MiB and {new FileInfo(Path.Combine(folder, "entitlements")).Length >> 20} MiB as lines");
            await using var server = new Server(folder, keys + apps.Length, subscriptions);
            await server.StartAsync();
            using var http = FeedClient.CreateHttp(server.Address, "tgw_bench");
            var data = Path.Combine(folder, "data");

            await LoadAsync("credentials over HTTP ", FeedNames.Credentials, () => new CredentialTable(), http, data, server, (table, _) => Check(table, known));
            await LoadAsync("entitlements over HTTP", FeedNames.Entitlements, () => new EntitlementTable(), http, data, server, (_, _) => Task.CompletedTask);
            await LoadAsync("credentials from disk ", FeedNames.Credentials, () => new CredentialTable(), http, data, server, (table, time) => ChangeAsync(table, server, apps, time));
            await LoadAsync("entitlements from disk", FeedNames.Entitlements, () => new EntitlementTable(), http, data, server, (_, _) => Task.CompletedTask);
            var peak = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM", StringComparison.Ordinal));
            Console.WriteLine($"most memory the process ever had: {long.Parse(peak.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) >> 10} MiB");
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task LoadAsync<T>(string what, string feed, Func<T> make, HttpClient http, string data, Server server, Func<T, Stopwatch, Task> then) where T : IFeedTarget
    {
        var before = Heap();
        var table = make();
        var cpu = Process.GetCurrentProcess().TotalProcessorTime;
        var clock = Stopwatch.StartNew();
        await using var client = new FeedClient(feed, http, table, data, TimeProvider.System, NullLogger<FeedClient>.Instance);
        await client.StartAsync(CancellationToken.None);
        await client.InForce;
        var seconds = clock.Elapsed.TotalSeconds;
        cpu = Process.GetCurrentProcess().TotalProcessorTime - cpu;
        Console.WriteLine($"{what}: {seconds:0.00} s ({cpu.TotalSeconds:0.00} s of CPU, the sender's too), {Heap() - before:0} MiB kept");
        await then(table, clock);
        GC.KeepAlive(table);
    }

    private static Task Check(CredentialTable table, string known)
    {
        if (!table.TryFindKey(known, out _) || table.TryFindKey(ApiKeyFormat.Generate(false), out _)) throw new InvalidOperationException("The table is not what was sent.");
        return Task.CompletedTask;
    }

    private static async Task ChangeAsync(CredentialTable table, Server server, AppId[] apps, Stopwatch clock)
    {
        await server.Asked;
        var tookMs = new double[Changes];
        for (var i = 0; i < Changes; i++)
        {
            var key = ApiKeyFormat.Generate(false);
            var item = new KeyItem(ApiKeyId.New(), ApiKeyFormat.Sha256Hex(key), apps[i], ApiKeyFormat.Prefix(key));
            clock.Restart();
            server.Publish(item);
            while (!table.TryFindKey(key, out _)) await Task.Yield();
            tookMs[i] = clock.Elapsed.TotalMilliseconds;
            clock.Restart();
            server.Publish(item with { Revoked = true });
            while (table.TryFindKey(key, out var found) && !found.Revoked) await Task.Yield();
            tookMs[i] = Math.Max(tookMs[i], clock.Elapsed.TotalMilliseconds);
        }

        Array.Sort(tookMs);
        Console.WriteLine($"a change beside them, from the feed's commit to its effect: median {tookMs[Changes / 2]:0.0} ms, 99 % {tookMs[Changes * 99 / 100]:0.0} ms, worst {tookMs[^1]:0.0} ms ({Changes} keys made and revoked)");
    }

    private static double Heap()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return GC.GetTotalMemory(forceFullCollection: true) / 1048576d;
    }

    private static (string Known, AppId[] Apps) Write(string folder, int keys, int subscriptions)
    {
        var apps = new AppId[subscriptions];
        var known = "";
        using (var credentials = new StreamWriter(Path.Combine(folder, "credentials")))
        {
            for (var i = 0; i < apps.Length; i++)
            {
                apps[i] = AppId.New();
                Line(credentials, new ApplicationItem(apps[i], OrganisationId.New(), $"application {i}", $"organisation {i / 5}", false));
            }

            for (var i = 0; i < keys; i++)
            {
                known = ApiKeyFormat.Generate(i % 10 == 0);
                Line(credentials, new KeyItem(ApiKeyId.New(), ApiKeyFormat.Sha256Hex(known), apps[i % apps.Length], ApiKeyFormat.Prefix(known),
                    Scopes: i % 4 == 0 ? ["orders.read"] : null, Networks: i % 20 == 0 ? ["203.0.113.0/24"] : null));
            }
        }

        using var entitlements = new StreamWriter(Path.Combine(folder, "entitlements"));
        for (var i = 0; i < subscriptions; i++)
            Line(entitlements, new EntitlementItem(SubscriptionId.New(), apps[i], $"product-{i % 20}", $"plan v{i % 7}", PlanVersionId.New(), EntitlementState.Active, LedgerLoss.FairShare,
                [new RateLimit("second", 50, 1000), new RateLimit("minute", 1000, 60_000)], [new Quota("month", 100_000, QuotaPeriod.Month, true, 0)]));
        return (known, apps);
    }

    private static void Line(TextWriter writer, FeedLine line) => writer.Write(JsonSerializer.Serialize(line, ContractJson.Default.FeedLine) + "\n");

    /// <summary>A control plane that holds nothing in memory: snapshots come from files, changes as they are published.</summary>
    private sealed class Server(string folder, long credentials, long entitlements) : IAsyncDisposable
    {
        private readonly WebApplication _app = Build();
        private readonly List<FeedItem> _changes = [];
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private TaskCompletionSource _published = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>The gateway has read the snapshot and waits for changes.</summary>
        public Task Asked => _asked.Task;

        public Uri Address => new(_app.Urls.Single());

        public Task StartAsync()
        {
            _app.MapGet("/feeds/{name}", AnswerAsync);
            return _app.StartAsync();
        }

        public void Publish(FeedItem item)
        {
            lock (_changes)
            {
                _changes.Add(item);
                _published.SetResult();
                _published = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }

        public ValueTask DisposeAsync() => _app.DisposeAsync();

        private static WebApplication Build()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            return builder.Build();
        }

        private async Task AnswerAsync(HttpContext http, string name, long after, int wait)
        {
            var first = name == FeedNames.Credentials ? credentials : entitlements;
            FeedItem[] changes = [];
            if (name == FeedNames.Credentials && after > 0) _asked.TrySetResult();
            for (var deadline = DateTime.UtcNow.AddSeconds(wait); after > 0; )
            {
                Task published;
                lock (_changes)
                {
                    changes = name == FeedNames.Credentials ? [.. _changes.Skip((int)(after - first))] : [];
                    published = _published.Task;
                }

                var left = deadline - DateTime.UtcNow;
                if (changes.Length > 0 || left <= TimeSpan.Zero) break;
                await Task.WhenAny(published, Task.Delay(left, http.RequestAborted));
                if (http.RequestAborted.IsCancellationRequested) return;
            }

            await LineAsync(new FeedBegin(name, Epoch, after == 0));
            if (after == 0) await http.Response.SendFileAsync(Path.Combine(folder, name));
            foreach (var change in changes) await LineAsync(change);
            await LineAsync(new FeedEnd(Math.Max(first, after) + changes.Length));

            Task LineAsync(FeedLine line) => http.Response.WriteAsync(JsonSerializer.Serialize(line, ContractJson.Default.FeedLine) + "\n");
        }
    }
}
