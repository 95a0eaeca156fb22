using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Tollgate.Contracts;
using Tollgate.Contracts.Feeds;
using Tollgate.Contracts.Usage;
using Tollgate.Testing;

namespace Tollgate.FunctionalTests.Feeds;

/// <summary>A control plane's internal port in miniature: both feeds, with long polls, and the usage total. Can be taken down and brought back on its port.</summary>
internal sealed class FakeControlPlane : IAsyncDisposable
{
    public const string Token = "tgw_right";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, List<FeedItem>> _items = new() { [FeedNames.Credentials] = [], [FeedNames.Entitlements] = [] };
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WebApplication? _app;
    private CancellationTokenSource _down = new();

    /// <summary>None of the ports that a connection could be given while it is down.</summary>
    public Uri Address { get; } = new($"http://127.0.0.1:{FreePort.Next()}");

    public bool IsUp => _app is not null;
    public string Epoch { get; set; } = "epoch-1";
    public long Used { get; set; }

    /// <summary>Extra text sent before the end of an answer, or instead of it.</summary>
    public string? Garbage { get; set; }
    public bool CutOff { get; set; }
    public int Polls;
    public int Snapshots;

    public static async Task<FakeControlPlane> StartAsync()
    {
        var plane = new FakeControlPlane();
        await plane.UpAsync();
        return plane;
    }

    public async Task UpAsync()
    {
        _down = new CancellationTokenSource();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(Address.ToString());
        _app = builder.Build();
        _app.MapGet("/feeds/{name}", AnswerAsync);
        _app.MapGet("/usage/total", () => Results.Json(new UsageTotal(Used), ContractJson.Default.UsageTotal));
        await _app.StartAsync();
    }

    public async Task DownAsync()
    {
        if (_app is null)
            return;
        _down.Cancel();    // ends long polls, as a killed process would
        using var now = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await _app.StopAsync(now.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        await _app.DisposeAsync();
        _app = null;
    }

    public void Publish(params FeedItem[] items)
    {
        lock (_gate)
        {
            foreach (var item in items)
            {
                var feed = item is EntitlementItem or CounterResetItem or RemovedItem { Of: "entitlement" } ? FeedNames.Entitlements : FeedNames.Credentials;
                _items[feed].Add(item);
            }
            _changed.SetResult();
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Has never said anything else, and knows of fewer versions than before.</summary>
    public void Rewrite(params FeedItem[] items)
    {
        lock (_gate)
            foreach (var feed in _items.Values)
                feed.Clear();
        Publish(items);
    }

    public async ValueTask DisposeAsync() => await DownAsync();

    private async Task AnswerAsync(HttpContext http, string name, long after, string? epoch, int wait)
    {
        Interlocked.Increment(ref Polls);
        if (http.Request.Headers.Authorization != $"Bearer {Token}")
        {
            http.Response.StatusCode = 401;
            return;
        }
        var snapshot = after == 0 || epoch != Epoch;
        var deadline = DateTime.UtcNow.AddSeconds(wait);
        FeedItem[] lines;
        long version;
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                changed = _changed.Task;
                var all = _items[name];
                version = all.Count;
                lines = (snapshot ? all : all.Skip((int)after)).ToArray();
            }
            if (snapshot || lines.Length > 0 || version < after || DateTime.UtcNow >= deadline)
                break;
            var left = deadline - DateTime.UtcNow;
            await Task.WhenAny(changed, Task.Delay(left > TimeSpan.Zero ? left : TimeSpan.Zero, _down.Token));
            if (_down.IsCancellationRequested)
            {
                http.Abort();
                return;
            }
        }
        if (snapshot)
            Interlocked.Increment(ref Snapshots);
        http.Response.ContentType = "application/x-ndjson";
        await LineAsync(new FeedBegin(name, Epoch, snapshot));
        foreach (var line in lines)
            await LineAsync(line);
        if (Garbage is not null)
            await http.Response.WriteAsync(Garbage + "\n");
        if (!CutOff)
            await LineAsync(new FeedEnd(version));

        Task LineAsync(FeedLine line) => http.Response.WriteAsync(JsonSerializer.Serialize(line, ContractJson.Default.FeedLine) + "\n");
    }
}
