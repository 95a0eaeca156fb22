using System.Collections.Concurrent;
using System.Net.Http.Json;
using Tollgate.Contracts;
using Tollgate.Contracts.Usage;
using Tollgate.Gateway.Policy.Credentials;

namespace Tollgate.Gateway.Feeds;

/// <summary>
/// Notes which keys call, to the minute, and tells the control plane every few seconds. A note costs a comparison; a key is told of once a minute.
/// What a crash loses is told again with the key's next minute.
/// </summary>
internal sealed partial class KeyUse : IAsyncDisposable
{
    private const int MostInReport = 5_000;
    private const int MostWaiting = 200_000;
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);

    private readonly HttpClient? _http;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<ApiKeyId, long> _waiting = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;
    private int _count;
    private bool _failing;

    /// <param name="http">Of the control plane's internal port; null = nobody is told, and only this gateway knows.</param>
    public KeyUse(HttpClient? http, TimeProvider time, ILogger<KeyUse> logger) => (_http, _time, _logger) = (http, time, logger);

    /// <summary>Notes that a key was taken.</summary>
    public void Note(Credential credential, long arrivedUnixMs)
    {
        var minute = arrivedUnixMs / 60_000;
        if (credential.UsedMinute >= minute) return;
        credential.UsedMinute = minute;
        if (_http is not null && credential.KeyId != default) Wait(credential.KeyId, minute);
    }

    public void Start(Task controlPlaneUp)
    {
        if (_http is not null) _loop = Task.Run(() => TellAsync(controlPlaneUp), CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested) return;
        await _stop.CancelAsync();
        await _loop;
        if (_http is null || _waiting.IsEmpty) return;
        using var soon = new CancellationTokenSource(Farewell);
        await TellOnceAsync(soon.Token);
    }

    private void Wait(ApiKeyId key, long minute)
    {
        if (_waiting.TryAdd(key, minute))
        {
            if (Interlocked.Increment(ref _count) <= MostWaiting) return;
            if (_waiting.TryRemove(key, out _)) Interlocked.Decrement(ref _count);    // the control plane has long been away; it is told of the next minute
            return;
        }

        _waiting[key] = minute;
    }

    private async Task TellAsync(Task controlPlaneUp)
    {
        var stop = _stop.Token;
        await controlPlaneUp.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(Every, _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            while (!stop.IsCancellationRequested && !_waiting.IsEmpty && await TellOnceAsync(stop)) { }
        }
    }

    private async Task<bool> TellOnceAsync(CancellationToken cancel)
    {
        var some = _waiting.Take(MostInReport).ToArray();
        foreach (var entry in some)
            if (_waiting.TryRemove(entry))
                Interlocked.Decrement(ref _count);
        try
        {
            var report = new KeyUseReport([.. some.Select(entry => new Contracts.Usage.KeyUse(entry.Key, entry.Value * 60_000))]);
            using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            limited.CancelAfter(TimeSpan.FromSeconds(10));
            using var answer = await _http!.PostAsJsonAsync(InternalPaths.KeyUse, report, ContractJson.Default.KeyUseReport, limited.Token);
            answer.EnsureSuccessStatusCode();
            if (_failing) Log.Again(_logger);
            _failing = false;
            return true;
        }
        catch (Exception failed) when (failed is HttpRequestException or OperationCanceledException)
        {
            foreach (var (key, minute) in some) Wait(key, minute);
            if (!_failing && !cancel.IsCancellationRequested) Log.NotTold(_logger, failed.Message);
            _failing = true;
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2361, LogLevel.Warning, "The control plane could not be told which keys were used ({Reason}); it is tried again")]
        public static partial void NotTold(ILogger logger, string reason);

        [LoggerMessage(2362, LogLevel.Information, "The control plane is told again which keys were used")]
        public static partial void Again(ILogger logger);
    }
}
