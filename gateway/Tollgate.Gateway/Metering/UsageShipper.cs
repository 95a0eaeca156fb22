using System.Net;
using System.Net.Http.Headers;
using Tollgate.Contracts;
using Tollgate.Gateway.Policy.Metering;

namespace Tollgate.Gateway.Metering;

/// <summary>
/// Sends what the journal holds to the control plane, one batch after the other, each until it is answered with 200. Ingest counts a batch once
/// however often it arrives, and a batch is on the disk before it is sent: together, exactly once.
/// </summary>
internal sealed class UsageShipper : BackgroundService
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan RepeatLog = TimeSpan.FromMinutes(1);

    private readonly Journal _journal;
    private readonly UsageSealer _sealer;
    private readonly UsageOutbox _outbox;
    private readonly HttpMessageInvoker _http;
    private readonly Uri _target;
    private readonly string? _token;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly TimeSpan _interval;
    private readonly Task _controlPlaneUp;
    private SealedBatch? _pending;
    private bool _resumed;
    private int _failures;
    private string? _loggedFailure;
    private long _loggedAt;

    public UsageShipper(
        Journal journal, Uri controlPlane, string? token, HttpMessageInvoker http, TimeProvider time, ILogger<UsageShipper> logger,
        TimeSpan? interval = null, Task? controlPlaneUp = null)
    {
        _controlPlaneUp = controlPlaneUp ?? Task.CompletedTask;
        (_journal, _token, _http, _time, _logger) = (journal, token, http, time, logger);
        _target = new Uri(controlPlane.AbsoluteUri.TrimEnd('/') + InternalPaths.Usage);
        _sealer = new UsageSealer(journal, time);
        _outbox = new UsageOutbox(journal.Folder);
        _interval = interval ?? TimeSpan.FromMilliseconds(250);
    }

    /// <summary>Tries in a row that have not been answered with 200.</summary>
    public int Failures => Volatile.Read(ref _failures);

    /// <summary>Why the last try failed; null when it did not.</summary>
    public string? LastFailure { get; private set; }

    /// <summary>A client that keeps its connection, follows nothing and asks no proxy: the control plane is one hop away.</summary>
    public static HttpMessageInvoker CreateClient() => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
    });

    public override async Task StopAsync(CancellationToken cancel)
    {
        await base.StopAsync(cancel);
        using var soon = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        soon.CancelAfter(Farewell);
        try
        {
            while (await ShipNextAsync(waitForEnds: false, soon.Token)) { }
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            Log.LeftUnsent(_logger, _journal.Facts().UnshippedRecords, failure.Message);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        await _controlPlaneUp.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        while (!stop.IsCancellationRequested)
        {
            var delay = _interval;
            try
            {
                if (await ShipNextAsync(waitForEnds: true, stop)) delay = TimeSpan.Zero;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                delay = AfterFailure(failure);
            }

            if (delay > TimeSpan.Zero) await Task.Delay(delay, _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Seals or takes up one batch and sends it. False when there is nothing to send yet; throws when it was not acknowledged.</summary>
    private async Task<bool> ShipNextAsync(bool waitForEnds, CancellationToken cancel)
    {
        if (!_resumed)
        {
            _pending = _outbox.Pending(_journal.Acknowledged.Sequence);
            _resumed = true;
        }

        if (_pending is null)
        {
            var nameless = _sealer.Nameless;
            _pending = _sealer.Seal(waitForEnds) is { } stretch ? _outbox.Store(stretch) : null;
            if (_pending is not null && _sealer.Nameless > nameless) Log.Nameless(_logger, _sealer.Nameless - nameless);
        }

        if (_pending is null) return false;
        await SendAsync(_pending, cancel);
        _journal.Acknowledge(_pending.Next);
        _outbox.Delete(_pending.Next.Sequence);
        Log.Shipped(_logger, _pending.Next.Sequence);
        _pending = null;
        Recovered();
        return true;
    }

    private async Task SendAsync(SealedBatch batch, CancellationToken cancel)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limited.CancelAfter(LongestDelay);
        using var request = new HttpRequestMessage(HttpMethod.Post, _target) { Content = new ByteArrayContent(batch.Body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (_token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _token);
        HttpResponseMessage answer;
        try
        {
            answer = await _http.SendAsync(request, limited.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new HttpRequestException("The control plane did not answer in time.");
        }

        using (answer)
        {
            if (answer.StatusCode != HttpStatusCode.OK) throw new IngestRefusedException(answer.StatusCode, batch.Next.Sequence);
        }
    }

    /// <summary>Says what went wrong when it is new, and every minute while it needs a person.</summary>
    private TimeSpan AfterFailure(Exception failure)
    {
        LastFailure = failure.Message;
        Interlocked.Increment(ref _failures);
        var status = (failure as IngestRefusedException)?.Status ?? 0;
        var again = _loggedFailure == failure.Message;
        if (!again || (_time.GetElapsedTime(_loggedAt) >= RepeatLog && status is not 0 and < HttpStatusCode.InternalServerError))
        {
            if (status is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden) Log.TokenRefused(_logger, (int)status, _target);
            else if (IsForItsContent(status))
                Log.BatchRefused(_logger, _pending!.Next.Sequence, (int)status, _journal.Folder);
            else Log.NotShipped(_logger, failure.Message);
            (_loggedFailure, _loggedAt) = (failure.Message, _time.GetTimestamp());
        }

        // A batch that is refused for what it says will hardly be accepted a second later.
        if (IsForItsContent(status)) return Jittered(LongestDelay);
        return Jittered(TimeSpan.FromSeconds(Math.Min(LongestDelay.TotalSeconds, FirstDelay.TotalSeconds * Math.Pow(2, Math.Min(Failures, 10) - 1))));
    }

    private static bool IsForItsContent(HttpStatusCode status) =>
        status is HttpStatusCode.BadRequest or HttpStatusCode.Conflict or HttpStatusCode.UnprocessableEntity or HttpStatusCode.RequestEntityTooLarge;

    private void Recovered()
    {
        if (Failures > 0) Log.ShippingAgain(_logger, Failures);
        Volatile.Write(ref _failures, 0);
        LastFailure = null;
        _loggedFailure = null;
    }

    private static TimeSpan Jittered(TimeSpan delay) => delay * (0.5 + Random.Shared.NextDouble() / 2);

    private sealed class IngestRefusedException(HttpStatusCode status, long sequence)
        : Exception($"The control plane answered {(int)status} to usage batch {sequence}.")
    {
        public HttpStatusCode Status { get; } = status;
    }
}

internal static partial class Log
{
    [LoggerMessage(2321, LogLevel.Debug, "Usage batch {Sequence} is counted")]
    public static partial void Shipped(ILogger logger, long sequence);

    [LoggerMessage(2322, LogLevel.Warning, "Usage is kept here and sent again: {Reason}")]
    public static partial void NotShipped(ILogger logger, string reason);

    [LoggerMessage(2323, LogLevel.Information, "Usage is being shipped again after {Failures} failed tries")]
    public static partial void ShippingAgain(ILogger logger, int failures);

    [LoggerMessage(2324, LogLevel.Error, "The control plane refuses this gateway's token ({Status} from {Target}). Make a new gateway token there and start the gateway with it; usage is kept until then")]
    public static partial void TokenRefused(ILogger logger, int status, Uri target);

    [LoggerMessage(2325, LogLevel.Error, "The control plane refuses usage batch {Sequence} for what it says ({Status}). It is kept in {Folder}, and so is all that follows it: look at the control plane's log")]
    public static partial void BatchRefused(ILogger logger, long sequence, int status, string folder);

    [LoggerMessage(2327, LogLevel.Error, "{Count} journal records name callers that the dictionary does not know, as a power failure can leave them. They are not counted")]
    public static partial void Nameless(ILogger logger, long count);

    [LoggerMessage(2326, LogLevel.Warning, "{Records} records are left for the next start: {Reason}")]
    public static partial void LeftUnsent(ILogger logger, long records, string reason);
}
