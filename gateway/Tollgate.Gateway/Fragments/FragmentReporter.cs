using System.Net.Http.Json;
using Tollgate.Contracts;
using Tollgate.Contracts.Fragments;

namespace Tollgate.Gateway.Fragments;

/// <summary>
/// Tells the control plane how the services' fragments stand here: at once when that changes, and every half minute, so that who publishes learns where his routes are left out,
/// and why. Nothing waits for it.
/// </summary>
internal sealed partial class FragmentReporter : IAsyncDisposable
{
    private const int MostReasons = 10;
    private const int LongestReason = 500;
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly string _gateway;
    private readonly HttpClient _http;
    private readonly Func<IReadOnlyList<FragmentFacts>> _facts;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _news = new(0, 1);
    private Task _loop = Task.CompletedTask;
    private bool _failing;

    public FragmentReporter(string gateway, HttpClient http, Func<IReadOnlyList<FragmentFacts>> facts, ILogger<FragmentReporter> logger) =>
        (_gateway, _http, _facts, _logger) = (gateway, http, facts, logger);

    /// <param name="known">Completes once the gateway knows what is published.</param>
    public void Start(Task known) => _loop = Task.Run(() => TellAsync(known), CancellationToken.None);

    /// <summary>Something stands otherwise than before.</summary>
    public void Tell()
    {
        try
        {
            _news.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is said already.
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested) return;
        await _stop.CancelAsync();
        await _loop;
    }

    private async Task TellAsync(Task known)
    {
        var stop = _stop.Token;
        await known.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        while (!stop.IsCancellationRequested)
        {
            Task news = _news.WaitAsync(await TellOnceAsync(stop) ? Every : Again, stop);
            await news.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<bool> TellOnceAsync(CancellationToken cancel)
    {
        var report = new FragmentReport(_gateway, [.. _facts().Select(fact => new FragmentStanding(fact.Service, fact.Version, fact.InForce, [.. fact.Errors.Take(MostReasons).Select(Short)]))]);
        try
        {
            using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            limited.CancelAfter(Patience);
            using var answer = await _http.PostAsJsonAsync(InternalPaths.FragmentReports, report, ContractJson.Default.FragmentReport, limited.Token);
            answer.EnsureSuccessStatusCode();
            _failing = false;
            return true;
        }
        catch (Exception failed) when (failed is HttpRequestException or OperationCanceledException)
        {
            if (!_failing && !cancel.IsCancellationRequested) Log.NotTold(_logger, failed.Message);
            _failing = true;
            return false;
        }
    }

    private static string Short(string reason) => reason.Length <= LongestReason ? reason : reason[..LongestReason];

    private static partial class Log
    {
        [LoggerMessage(1013, LogLevel.Warning, "The control plane could not be told how the services' routes stand here ({Reason}); it is tried again")]
        public static partial void NotTold(ILogger logger, string reason);
    }
}
