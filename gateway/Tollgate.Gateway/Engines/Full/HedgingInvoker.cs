using Tollgate.Gateway.Balancing;

namespace Tollgate.Gateway.Engines.Full;

/// <summary>
/// Asks a second host when the first is slow, and takes the first good answer; the others are given up. For calls that may be sent twice and have no body.
/// One for each <see cref="Forwarding"/>, used again with it.
/// </summary>
internal sealed class HedgingInvoker(GatewayMetrics metrics) : HttpMessageInvoker(NoHandler.Instance, disposeHandler: false)
{
    private HttpMessageInvoker _inner = null!;
    private Upstream _upstream = null!;
    private HedgeRule _rule = null!;
    private Func<Destination, string> _origin = null!;
    private Placement _placement;

    /// <summary>The host whose answer counts.</summary>
    public Destination Host { get; private set; } = null!;

    public void Begin(HttpMessageInvoker inner, Upstream upstream, HedgeRule rule, Destination first, in Placement placement, Func<Destination, string> origin)
    {
        _inner = inner;
        (_upstream, _rule, Host, _origin, _placement) = (upstream, rule, first, origin, placement);
    }

    public override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage message, CancellationToken cancel)
    {
        var tries = new List<Try> { Start(Host, message, cancel) };
        var from = _origin(Host).Length;
        while (true)
        {
            var pending = tries.Where(one => !one.Answer.IsCompleted).Select(one => (Task)one.Answer).ToList();
            var mayAsk = tries.Count <= _rule.Most;
            if (mayAsk && pending.Count > 0)
            {
                using var waited = CancellationTokenSource.CreateLinkedTokenSource(cancel);
                pending.Add(Task.Delay(_rule.AfterMs, waited.Token));
                await Task.WhenAny(pending);
                await waited.CancelAsync();
            }
            else if (pending.Count > 0)
            {
                await Task.WhenAny(pending);
            }

            if (tries.Find(one => one.IsGood) is { } good) return Take(good, tries);
            if (cancel.IsCancellationRequested || tries.TrueForAll(one => one.Answer.IsCompleted) && !mayAsk) return Take(tries[0], tries);
            if (!mayAsk) continue;

            if (_upstream.Choose(ref _placement) is { } next)
            {
                metrics.Hedged();
                tries.Add(Start(next, Copy(message, new Uri(string.Concat(_origin(next), message.RequestUri!.OriginalString.AsSpan(from)), in UpstreamHead.AsWritten)), cancel));
            }
            else
            {
                await Task.WhenAny(tries.Select(one => one.Answer));
                if (tries.TrueForAll(one => one.Answer.IsCompleted)) return Take(tries[0], tries);
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        // what it asks through is not its own
    }

    private Try Start(Destination host, HttpRequestMessage message, CancellationToken cancel)
    {
        var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        return new Try(host, _inner.SendAsync(message, stop.Token), stop);
    }

    private HttpResponseMessage Take(Try taken, List<Try> tries)
    {
        Host = taken.Host;
        foreach (var other in tries)
        {
            if (ReferenceEquals(other, taken)) continue;
            other.Stop.Cancel();
            other.Host.End();
            _ = other.Answer.ContinueWith(static answer =>
            {
                if (answer.IsCompletedSuccessfully) answer.Result.Dispose();
                else _ = answer.Exception;
            }, TaskScheduler.Default);
        }

        return taken.Answer.GetAwaiter().GetResult();
    }

    private static HttpRequestMessage Copy(HttpRequestMessage message, Uri address)
    {
        var copy = new HttpRequestMessage(message.Method, address) { Version = message.Version, VersionPolicy = message.VersionPolicy };
        foreach (var (name, values) in message.Headers.NonValidated) copy.Headers.TryAddWithoutValidation(name, values);
        return copy;
    }

    private sealed record Try(Destination Host, Task<HttpResponseMessage> Answer, CancellationTokenSource Stop)
    {
        public bool IsGood => Answer.IsCompletedSuccessfully && (int)Answer.Result.StatusCode < 500;
    }

    private sealed class NoHandler : HttpMessageHandler
    {
        public static NoHandler Instance { get; } = new();

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage message, CancellationToken cancel) => throw new NotSupportedException();
    }
}
